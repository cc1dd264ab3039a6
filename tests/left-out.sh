# Ends a script that cannot test what it is for: well, if GCF_ALLOW_SKIPS names it, and badly otherwise.
#
#     . tests/left-out.sh
#     left_out NAME REASON
left_out() {
  case ",${GCF_ALLOW_SKIPS:-}," in
    *",$1,"*)
      printf 'left out: %s: %s\n' "$1" "$2"
      exit 0
      ;;
  esac
  printf '%s: %s; leave it out with GCF_ALLOW_SKIPS=%s\n' "$1" "$2" "$1" >&2
  exit 1
}
