"""An htop for supervisord and Celery."""

__version__ = "0.1.0"
