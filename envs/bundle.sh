# shellcheck shell=bash disable=SC2154
# One archive for a site without network, made by `make offline-bundle` on a connected machine of the site's kind: same
# Debian release, processor and minor version of Python. Sourced by install.sh when everything is in place here.
#
#   ngc-wgs-VERSION/              the committed workflow, with RELEASE.json; pins of the conda environments in envs/
#   ngc-wgs-VERSION/bundle/       debian/ (an apt repository), wheels/, gatk-VERSION/, conda/, SHA256SUMS

commit=$(git rev-parse HEAD) || stop "a bundle is made from a git checkout"
[[ -z $(git status --porcelain) ]] || say "local changes are left out: the bundle holds commit $commit"
[[ -d $gatk_jars ]] || stop "the gatk on PATH hides the jars that a bundle takes along. Mend: take it from PATH"
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' scripts/ngc_wgs/__init__.py)
archive=${OUT:-$checkout}/ngc-wgs-$version-offline.tar
stage=$(mktemp -d "${TMPDIR:-/tmp}/ngc-wgs-bundle.XXXXXX")
trap 'rm -rf "$stage"' EXIT
release=$stage/ngc-wgs-$version
store=$release/bundle

# Every package that install.sh may ask for, with all that they need: resolved as if nothing were installed.
bundle_debian() {
    type -P apt-get dpkg-deb > /dev/null || { say "no apt-get: the bundle has no Debian packages" && return; }
    local packages deb
    packages="$(debian_tools | cut -d ' ' -f 2 | sort -u) python3 $pip_package $jdk"
    mkdir -p "$store/debian" "$stage/archives/partial"
    : > "$stage/status"
    # shellcheck disable=SC2086
    apt-get -qq -y install --download-only --no-install-recommends -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" \
        -o Dir::State::Status="$stage/status" -o Dir::Cache::Archives="$stage/archives" $packages > "$log.apt" 2>&1 ||
        stop "apt-get cannot download the packages, see $log.apt. Mend: apt-get update"
    for deb in "$stage"/archives/*.deb; do
        local name=${deb##*/}
        name=${name//%3a/_}
        mv "$deb" "$store/debian/$name"
        dpkg-deb --field "$store/debian/$name"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$name" "$(stat -c %s "$store/debian/$name")" \
            "$(sha256sum < "$store/debian/$name" | cut -d ' ' -f 1)"
    done > "$store/debian/Packages"
}

# What has no wheel is made one here, so that the site needs nothing to make it with.
bundle_wheels() {
    local pip=(-m pip)
    "$venv/bin/python" -m pip --version > /dev/null 2>&1 || pip=("$(debian_pip | tail -n 1)/pip")
    "$venv/bin/python" "${pip[@]}" wheel --quiet --no-deps --disable-pip-version-check --wheel-dir "$store/wheels" \
        --requirement envs/requirements.txt
    cp envs/requirements.txt "$store"
}

# Each environment solved here once: its packages in conda/, its explicit pins beside it, where Snakemake takes them from.
# Packages of pip are in no pin: that environment is solved again at the site, from the packages and index in conda/.
bundle_conda() {
    type -P conda > /dev/null || { say "no conda here: the bundle has no conda packages" && return; }
    local file name
    for file in "$release"/envs/*.yaml; do
        grep -q '^dependencies:' "$file" || continue
        name=$(basename "$file" .yaml)
        CONDA_PKGS_DIRS=$store/conda PIP_FIND_LINKS=$store/wheels conda env create --quiet --yes --prefix "$stage/env" \
            --file "$file" > "$log.conda" 2>&1 || {
            say "conda cannot make $name, see $log.conda: the bundle has no conda packages"
            rm -rf "$store/conda" "$release"/envs/*.pin.txt
            return
        }
        grep -q '^  - pip:' "$file" ||
            conda list --explicit --md5 --prefix "$stage/env" > "$release/envs/$name.linux-64.pin.txt"
        rm -rf "$stage/env"
    done
}

say "bundle of commit $commit"
mkdir -p "$store"
git archive HEAD | tar -xf - -C "$release"
bundle_debian
bundle_wheels
bundle_conda
cp -r "$gatk_jars" "$store/gatk-$gatk_version"
PYTHONPATH=scripts "$venv/bin/python" -c 'import sys; from pathlib import Path; from ngc_wgs import release
release.write(Path(sys.argv[1]), *sys.argv[2:])' "$release" "$version" "$commit"
(cd "$store" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum > SHA256SUMS)
tar --sort=name --owner=0 --group=0 --numeric-owner -cf "$archive.part" -C "$stage" "${release##*/}"
mv "$archive.part" "$archive"
say "$archive, $(du -h "$archive" | cut -f 1)"
