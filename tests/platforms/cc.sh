#!/usr/bin/env bash
# Stands for a C compiler where nothing is linked: makes empty object files.
while [ $# -gt 0 ]; do
  case $1 in
    -o) shift; : >"$1" ;;
    -o?*) : >"${1#-o}" ;;
    *) ;;
  esac
  shift
done
