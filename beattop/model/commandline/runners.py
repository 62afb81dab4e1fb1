"""Programs that start another one and stay as its parent, or replace themselves with it, as data.

One entry a kind, its further lines indented:
names | options that take a word | what else holds, of

- `skip=N`: N words of their own before the command (a user, a lock file, a duration);
- `verbs=a,b`: the command follows one of these words; `through=a,b` may stand before it;
- `shell=-c,--command`: options whose word is shell text;
- `text`: the words after are shell text (ssh, tmux), each its own where they hold blanks;
- `program=--exec`: options that name the program, its arguments follow (docker's entry point), at
  once if `raw` without a word to skip;
- `module=-m`: options that name a Python module to run;
- `raw`: after the skipped words nothing is an option of the runner any more.

Source: each program's manual page or --help.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_SHELLS: Final = "sh bash dash ash zsh ksh mksh rbash fish csh tcsh busybox toybox"
SHELLS: Final = frozenset(_SHELLS.split())


@dataclass(frozen=True, slots=True)
class Runner:
    """How one runner's command line leads to the command that it runs."""

    valued: frozenset[str]
    skip: int = 0
    verbs: frozenset[str] = frozenset()
    through: frozenset[str] = frozenset()
    shell: frozenset[str] = frozenset()
    text: bool = False
    program: frozenset[str] = frozenset()
    module: frozenset[str] = frozenset()
    raw: bool = False


_TABLE: Final = """
exec nohup setsid command builtin eatmydata chronic cronic unbuffer catatonit krallin | -a |
docker-init catchsegv fghack pgrphack with-contenv keep-one-running run-one run-one-constantly | |
fakeroot fakechroot dbus-run-session proxychains proxychains4 torsocks tsocks rlwrap caffeinate |
    -f -l -b |
npx bunx elasticapm-run splunk-py-trace sl-otel multirun | -p --package |
eval | | text
my_init | --timeout |
env | -u --unset -C --chdir -a --argv0 | shell=-S,--split-string
nice | -n --adjustment |
ionice | -c --class -n --classdata -p --pid -t |
chrt taskset | -T -P -D | skip=1
numactl | -N -m -i -C -p --cpunodebind --membind --physcpubind --interleave |
cpulimit | -l -p -e -P --limit --pid --exe --path |
prlimit trickle | -d -u -w -t -l --pid --output |
timeout | -s --signal -k --kill-after | skip=1
time | -f -o --format --output |
stdbuf | -i -o -e --input --output --error |
tini | -p -e |
dumb-init | -r --rewrite |
gosu su-exec setuidgid s6-setuidgid setuser envuidgid s6-envuidgid envdir s6-envdir | | skip=1
setlock argv0 faketime lckdo with-lock-ex | | skip=1
chpst | -u -U -b -/ -C -n -l -L -e -o -m -d -p -f -c -t -r |
softlimit s6-softlimit | -a -c -d -f -l -m -o -p -r -s -t |
setpriv | --reuid --regid --groups --inh-caps --ambient-caps --bounding-set --selinux-label |
unshare | -w -S -G -R --root --wd --setuid --setgid --map-user --map-group --propagation |
nsenter | -t --target -S -G --setuid --setgid |
chroot | --userspec --groups | skip=1
sudo doas | -u -g -h -p -C -r -t -T -U -D -R --user --group --host --prompt --chdir --chroot |
pkexec | --user |
su | -s --shell -g -G --group --supp-group -w --whitelist-environment | skip=99 shell=-c,--command
runuser | -u --user -s --shell -g -G --group --supp-group -w |
    skip=99 shell=-c,--command
sg | | skip=1 shell=-c
flock | -w --wait --timeout -E --conflict-exit-code | skip=1 shell=-c,--command
script | -E --echo -I -O -B -T -m -o --log-in --log-out --log-io --log-timing | skip=1
    shell=-c,--command
systemd-run | -u --unit -p --property --uid --gid --slice -E --setenv --description -M --nice
    --working-directory |
systemd-cat systemd-inhibit | -t --identifier -p --priority --what --who --why --mode |
start-stop-daemon | -p --pidfile -n --name -u --user -c --chuid -g --group -k --umask -N
    --nicelevel -I -P -d --chdir -r --chroot -s --signal -R --retry -1 --stdout -2 --stderr |
    program=-x,--exec,-a,--startas
daemonize daemon | -a -c -e -o -p -u -l -E -n --name -r -F --pidfile -D --chdir |
cgexec | -g |
xvfb-run | -n -s -e -f -p -w --server-num --server-args --error-file --auth-file |
strace ltrace | -e -o -p -s -u -E -a -b -I -O -P -S -X -U -n --trace --output --attach |
perf valgrind heaptrack rr | -o -e -F --output | through=record,stat,trace
gdb lldb | -x -ex |
py-spy austin | -o --output -r --rate -d --duration -f --format -p --pid -i -n |
    through=record,top
firejail bwrap proot | |
poetry | -C --directory -P --project | verbs=run
pipenv pdm rye pixi pyenv hatch asdf mise heroku devbox | -p --project -e --environment
    --manifest-path -C -a --app | verbs=run,exec,x through=env
uv | --with --with-editable --with-requirements -p --python --env-file --project --directory
    --extra --group --no-group --only-group --package --index --index-url --default-index -i
    --extra-index-url --find-links -f --config-file --cache-dir --color --from | verbs=run
    through=tool module=-m,--module
uvx pipx | --from --with -p --python --spec --index-url -i | through=run
conda mamba micromamba | -n --name -p --prefix --cwd -r --root-prefix -e | verbs=run
scl | | skip=1 verbs=enable text
newrelic-admin | | verbs=run-program,run-python
ddtrace-run opentelemetry-instrument signalfx-instrument | --traces_exporter --metrics_exporter
    --logs_exporter --service_name --exporter_otlp_endpoint --id_generator |
pyagent appdynamics-agent | -c --config-file | verbs=run
sentry-cli | --schedule -e --environment --url --auth-token | skip=1 verbs=run through=monitors
watchmedo | -d --directory -p --pattern --patterns -i --ignore-pattern --ignore-patterns
    --interval --signal -s --kill-after --debounce-interval --timeout |
    verbs=auto-restart,shell-command,tricks shell=-c,--command
watch | -n --interval | text
entr | |
watchexec | -e --exts -w --watch -f --filter -i --ignore -s --signal --stop-signal -d --delay | text
watchfiles watchgod | --filter
    --ignore-paths --target-type --args --verbosity --sigint-timeout | text
nodemon | -e --ext -w --watch -i --ignore -d --delay -s --signal --cwd | shell=-x,--exec
hupper | -w | module=-m
honcho foreman forego nf overmind | -e --env -f --procfile -d --app-root | verbs=run
dotenv | -f --file -e -v -q -c | through=run
doppler infisical op chamber aws-vault teller summon berglas akeyless vlt | -p --project
    -c --config -t --token --env --path --env-file --scope --duration -d | verbs=run,exec,--
envconsul | -config -prefix -secret -consul-addr -vault-addr -log-level -exec-kill-signal |
consul-template | -config -template -consul-addr -vault-addr -log-level | shell=-exec
asciinema | -t --title -i --idle-time-limit -e --env | verbs=rec shell=-c,--command
direnv | | skip=1 verbs=exec
sops | | skip=1 verbs=exec-env text
nix-shell | -p -A --attr -I --arg --argstr | shell=--run,--command
nix | --arg --argstr -f --file | verbs=shell,develop program=-c,--command raw
single-beat solo lockrun | -port --lockfile |
consul | -name -n -timeout | skip=1 verbs=lock
etcdctl | --endpoints --ttl | skip=1 verbs=lock
dockerize | -wait -timeout -template -stdout -stderr -wait-retry-interval -wait-http-header -env
    -delims |
xargs parallel | -I -n -P -L -d -s -a -j --jobs |
concurrently | -n --names -c --prefix-colors -p --prefix --restart-tries | text
screen SCREEN | -S -t -c -e -h -s -T -p -X |
tmux byobu | -L -f -S -s -n -t -c -x -y -F |
    verbs=new-session,new,new-window,neww,split-window,splitw,respawn-pane,respawn-window text
ssh autossh dropbear dbclient | -i -l -p -o -F -J -L -R -D -b -c -e -m -O -Q -S -W -w -E -I -B -M
    | skip=1 text
vagrant eb cf | -a -i | skip=1 verbs=ssh shell=-c,--command
fly flyctl | -a --app -c --config | verbs=console shell=-C,--command through=ssh
gcloud aws az | --zone --project --cluster --task --container --region --profile |
    verbs=ssh,execute-command,exec through=compute,ecs,container,containerapp shell=--command
docker docker-compose podman podman-compose nerdctl | -H --host --context --config -l --log-level
    -f --file -p --project-name --profile --env-file --project-directory --ansi -a --attach -c
    --cpu-shares -e --env -h --hostname --label --link --log-driver --log-opt -m --memory
    --memory-swap --memory-reservation --mount --name --network --net --network-alias --publish
    --pid --platform --restart -u --user -v --volume --volumes-from -w --workdir --add-host
    --annotation --cap-add --cap-drop --cgroup-parent --cidfile --cpu-period --cpu-quota --cpus
    --cpuset-cpus --device --dns --dns-search --expose --gpus --group-add --health-cmd
    --health-interval --health-retries --health-timeout --ip --ipc --isolation --mac-address
    --oom-score-adj --pids-limit --pull --runtime --security-opt --shm-size --stop-signal
    --stop-timeout --storage-opt --sysctl --tmpfs --ulimit --userns --uts --detach-keys --index
    --replicas --constraint --mode --scale | skip=1 verbs=run,exec,create
    through=compose,container,service program=--entrypoint raw
kubectl oc k3s microk8s | -n --namespace -c --container -f --filename --context --kubeconfig
    --image --env --cluster --user -l --labels --overrides --restart | skip=1
    verbs=exec,run,debug,rsh through=kubectl
lxc incus machinectl | -n --name -M --machine -u --user --env --cwd --uid --group --project
    --setenv | skip=1 verbs=exec,shell
lxc-attach lxc-execute systemd-nspawn | -n --name -M --machine -D --directory -u --user -i --image
    --uuid --bind --bind-ro --setenv -v --set-var -P --lxcpath -f --rcfile -o --logfile |
crictl ctr | -r --runtime-endpoint -n --namespace --timeout --exec-id --user |
    skip=1 verbs=exec through=task,tasks
pm2 forever | --name -n --interpreter --cwd -i --instances -l --log -o -e --uid | verbs=start text
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))


def _parsed() -> dict[str, Runner]:
    out: dict[str, Runner] = {}
    for entry in _TABLE.strip().replace("\n    ", " ").splitlines():
        names, valued, rest = (part.strip() for part in entry.split("|"))
        said = dict(part.partition("=")[::2] for part in rest.split())
        runner = Runner(
            valued=frozenset(valued.split()),
            skip=int(said.get("skip", "0")),
            verbs=_words(said.get("verbs", "")),
            through=_words(said.get("through", "")),
            shell=_words(said.get("shell", "")),
            text="text" in said,
            program=_words(said.get("program", "")),
            module=_words(said.get("module", "")),
            raw="raw" in said,
        )
        out.update(dict.fromkeys(names.split(), runner))
    return out


RUNNERS: Final = _parsed()
MODULES: Final = {
    "watchdog.watchmedo": "watchmedo",
    "newrelic.admin": "newrelic-admin",
    "ddtrace.commands.ddtrace_run": "ddtrace-run",
    "opentelemetry.instrumentation.auto_instrumentation": "opentelemetry-instrument",
}
"""Python modules that are runners under another name."""
