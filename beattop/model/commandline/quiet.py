"""Programs that name Celery in their arguments and never run it: viewers, killers, installers."""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = """
. : [ [[ ack ag alias ansible ansible-playbook apk apropos apt apt-cache apt-get aptitude arq at
atop auditctl awk bandit basename bat black bluepill brew btop buildah bzr cal cat cd chage chgrp
chkconfig chmod chown circusctl circusd clear cmake cmp code column conda-build cookiecutter cp
crontab curl cut daphne date dd declare df diff dirname dnf docker-credential dpkg dramatiq dstat
du easy_install echo ed egrep emacs exit export eye fab false fgrep file find flake8 free ftp
fuser gawk gedit getent gh git glances gmake god granian grep groupadd groups gunicorn gunzip gzip
head helm help hexdump hg htop http https huey_consumer huey_consumer.py hypercorn id info initctl
insserv install inv invoke invoke-rc.d iostat iotop isort journalctl jq just k9s kate kill killall
kubectx lazydocker less ll ln lnav local locate logger loginctl ls lsof mail mailx make man mawk
md5sum micro mkdir mkfifo mktemp mongo mongosh monit more most multilog multitail mv mypy mysql
nano nawk netstat nm notify-send nox nvim objdump pacman passwd pgrep pico pidof pidwait pip pip2
pip3 pkill popd pre-commit printf procrastinate ps psql pstree puppet pushd pwait py.test pylint
pyright pytest rabbitmqadmin rabbitmqctl rc-service rc-update read readlink realpath redis-cli
redis-server reload restart return rg rm rmdir rpm rq rqscheduler rqworker rsync ruff runsv
runsvdir s6-log s6-rc s6-supervise s6-svc s6-svscan salt salt-call sar scp sed sendmail service
set setup.py sftp sha1sum shift shred skill skopeo sleep snap snice snmpget sort source
sphinx-build split sqlite3 ss start stat status stern stop strings stty supervise supervisorctl
supervisord sv svc svlogd svn svok svscan svscanboot svstat systemctl tac tail tar task taskiq tee
tempfile terraform test top touch tox tput tr trap true truncate twine type ulimit umask uniq
unset unzip update-rc.d uptime useradd userdel usermod uvicorn vi view vim vmstat wait
waitress-serve wall watchdog wc wget whatis whereis which whoami write xdg-open xxd yq yum
zabbix_get zabbix_sender zcat zgrep zip zipimport zless zypper
"""
_LIKE: Final = re.compile(r"check_\w*|\w*(?:grep|kill|killall)|[\w-]*ctl|git-[\w-]+")
_QUIET: Final = frozenset(_NAMES.split())


# Names of scripts that look after other programs: their words name them and start nothing.
_KEEPER: Final = re.compile(
    r"(?:.*[-_.])?(?:watch(?:dog|er)?|monitor\w*|health\w*|check\w*|probe|exporter|notif\w*"
    r"|alert\w*|restart\w*|kill\w*|status)(?:[-_.].*)?"
)


def is_keeper(name: str) -> bool:
    """Whether a script's name says that it watches, checks or restarts others."""
    return bool(_KEEPER.fullmatch(name))


def is_quiet(name: str) -> bool:
    """Whether a program of this name never starts what it names."""
    return name in _QUIET or bool(_LIKE.fullmatch(name))
