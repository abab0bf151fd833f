#!/usr/bin/env bash
# Whole photographs of other people than any of the development data's, for results/small_pictures.py:
# backgrounds of desktops that come with Debian's packages, all of them older than generators that are
# any good. Drawings and abstract pictures are left out. Needs Debian 12's apt-get.
#
#     bash results/whole_photographs.sh OUTPUT
set -euo pipefail
mkdir -p "$1"
output=$(realpath "$1")
work=$(mktemp --directory)
trap 'rm -r "$work"' EXIT
cd "$work"
apt-get download -qq lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 mate-backgrounds plasma-workspace-wallpapers
for package in *.deb; do dpkg-deb --extract "$package" .; done
cd usr/share
rm backgrounds/{analogpattern,umang}*.jpg
cp backgrounds/*_by_*.jpg backgrounds/mate/nature/*.jpg "$output"
rm "$output"/{Fossa,Infinite,Painting}*.jpg
for name in BytheWater ColdRipple ColorfulCups DarkestHour EveningGlow FallenLeaf Grey Kite OneStandsOut Path summer_1am; do
    cp "wallpapers/$name/contents/images/2560x1600.jpg" "$output/$name.jpg"
done
number=$(find "$output" -name '*.jpg' | wc -l)
if [ "$number" != 37 ]; then
    echo "$number photographs in place of 37: other versions of the packages than bookworm's" >&2
    exit 1
fi
