"""One package a recipe: options in `recipe.py`, training in `train.py`, the command in `command.py`."""
