"""The ground under all packages: errors, methods and their catalogues, lazy imports, text."""
