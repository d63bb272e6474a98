"""A PDF under AES-256, which the library that makes the other PDFs of tests cannot write."""

from __future__ import annotations

import base64
import zlib

# A page of two lines under AES-256 with an owner password and none for readers.
_AES_256 = (
    "eNqNVVuIVVUYjh4Kdg/11o1iWYyU5ex1v8BpcjwzB4e0GedMFpjhWnutNR6d2XvYZ494ocyHzLAoxJcQDAzpIaVokijFt+xehD00"
    "jqAZBUY3KSoipLXPHGcOnZfOfthr/+v/v///v/9yekYGastRL4l6Ln77xZkIAQgyszmqVKJ4JM/sdOJyULFaSMEpp1ASKEyiWUKp"
    "kRoayQgh0hDIOGZCEE1wwqmXEBuZCKx94gS0fVFfX+RSWyLjDg9j26cciEf0uGtGcTWbTguAovihhm2C9YAGxVGwocOUdJlWdaEn"
    "svFoHgOU2KMdBrTDoJqlhUuLJmAtpXiNsw29MtsWPMHwMMV6sWAcSIp6pVQyeI5HXTObzpOAXCLUAgLg89aBm6TuimAcBwJBPOa2"
    "FSAemgxhrGy/q+330HwO8WhW6MIBGGLPddqCLMWLHJRZ5CHErjRYRxq1xkQRShL89terQ0OSDbgkswGhNhHQ2x8h9NUuHS82AQxl"
    "CdQscqcno6lD5x788vpDW3Y9ufv8z6+9eeOx7256fr/79YN9xzbPfX/gSnV/ft+F5+aeXdL71D2fbcwPvz5z9L3qkrtmr/x5/A/0"
    "wAunV5A7Lp/97fLNtx9/deNPd157a++BD3d/c8vSM+a2fGv2S3zw0rLTe44f3QPr/1z3ybEfvsoqO3+/4bAfQ8t+3NI/O7bq0jt9"
    "j+399O5i78e7Tv790b3Tz7A3lp54euaJ/mvODl/cebK5/tSOz0cff/nFE3Hf26+c+Hrf2LkVpn75ysxfM+ffOjJ74aV3165RB+X7"
    "c6uP3D9BT82h5WtLgtqptaninVQhIP7DpOi4XqmbrlXSeJWb2OqKRqKjeDANBDbScRA/2kj702bjqiCKH9aTJc2hQevTpmhVrawd"
    "ulrCEqvDlexwtQ6wUH/AF8vCwnkEUKyo4gIrvFDYuF7o1OrcRvEwqEBJtaGMIyQZVEYY6AzDNgwjMUkwlchblBCahI6lUENHvCII"
    "Cm4THy6NDyMoscXQMkMRstJp6g00gnLjjMGh/x4BFa64ogIlziCMqXCaMwm594Zj7rTSygvIpDIq6CAHqVPeS2p1mHANucLaYmRI"
    "sMRYJJYkjpMQC8VOMGidZcFLtdYaoXph26f+6WLT4Nay2+OBLBmecmmptCa09WB9HVkgiuCS0nJO6sVkDcwDlB/54sfwIKgonyDm"
    "oVAUC8IDa8Qwp7ijhiFsqWfCMu8sCduIOohIQhkiBAZKMCYhyJKIAGM5Q1AbQwzGSAjnMEeMBJ6h9ZhBXR7ConMSO+9D/oRyLpAO"
    "V4lVkOsAM+LyyTDcCHmuTOKdICg8yknopPGWKmi15a5zJW7LnY8gUBFc+AHOGGHAgwUZClugdZMuyBAi3TKBu2Qhly4ZxbBLJpDq"
    "lrFuPcnEoqzIdWPC5a0+rzd2uJBGWHVZAcj8phxKfQZQ+zwQFldFC4yQSYhMoAr/JNJo7EVCsZcY4lCQvv+jsqE1q/n2qQLIq0Pe"
    "LHRetMhEFOGop2dwuBb9CxtQCIM="
)

AES_256 = zlib.decompress(base64.b64decode(_AES_256))
