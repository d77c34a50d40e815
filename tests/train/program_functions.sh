# What the tests of programs share; to be sourced by a script that has set `case`.

# start_case FOLDER: makes the folder anew and goes there. It goes away with a case that passes: a ResNet's checkpoint takes 90 MB, and there
# are hundreds.
start_case() {
  rm -rf "$1"
  mkdir -p "$1"
  cd "$1"
  case_folder="$PWD"
  trap '(($? != 0)) || rm -rf "$case_folder"' EXIT
}

die() {
  echo "$case: $*" >&2
  exit 1
}

# expect CODE TEXT COMMAND...: the command ends with CODE and says TEXT (a basic regular expression) on any of its outputs.
expect() {
  local code="$1" text="$2" got=0
  shift 2
  "$@" >said 2>&1 || got=$?
  [[ "$got" == "$code" ]] || { cat said && die "exit code $got in place of $code: $*"; }
  grep -q -- "$text" said || { cat said && die "does not say '$text': $*"; }
}

same_run() {
  cmp "$1/model.safetensors" "$2/model.safetensors" || die "the final weights differ"
  cmp "$1/history.csv" "$2/history.csv" || die "the histories differ"
}

# killed_after SECONDS FILE COMMAND...: starts the command and kills it that long after the file is there.
killed_after() {
  local pause="$1" file="$2" child
  shift 2
  "$@" >log 2>&1 &
  child=$!
  wait_for "$file"
  sleep "$pause"
  kill -KILL "$child" 2>/dev/null || true
  wait "$child" || true
}

wait_for() {
  for _ in $(seq 600); do
    [[ -e "$1" ]] && return
    sleep 0.05
  done
  die "$1 did not appear"
}
