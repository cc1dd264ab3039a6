#!/usr/bin/env bash
# Stands for an archiver where nothing is linked: makes empty archives.
for argument in "$@"; do
  case $argument in
    *.a | *.lib) printf '!<arch>\n' >"$argument" ;;
    *) ;;
  esac
done
