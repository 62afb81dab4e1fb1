"""The original incident in a box: real supervisord, real Celery, gone afterwards."""
