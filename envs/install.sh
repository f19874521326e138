#!/usr/bin/env bash
# Makes the tools of tools.yaml available where there is no conda: Debian packages, GATK from Maven Central, Python
# packages from requirements.txt. Run by `make`; a second run does nothing.
# Everything but the Debian packages goes to .tools/bin of this checkout and to the user's cache, where checkouts share it.
#
#   install.sh            all of it; from the folder that BUNDLE names, or `bundle` beside the Snakefile, and without
#                         network, where there is one
#   install.sh --debian   the Debian packages only, for root
#   install.sh test       all of it, and what only tests need: Slurm, and Chromium where it can be had
#   install.sh proof      the same, and debootstrap
#   install.sh --bundle   all of it, then the archive for a site without network (bundle.sh)
set -euo pipefail
bundle=${BUNDLE:+$(cd "$BUNDLE" && pwd)}
cd "$(dirname "${BASH_SOURCE[0]}")/.."

action=${1-}
checkout=$PWD
[[ -n $bundle || ! -d bundle ]] || bundle=$PWD/bundle
cache=${XDG_CACHE_HOME:-${HOME:?is not set}/.cache}/ngc-wgs
bin=$checkout/.tools/bin
log=$checkout/.tools/log
PATH=${PATH//"$bin:"/} # what the machine has, not what an earlier run made
gatk_version=$(sed -n '/<artifactId>gatk</,/<version>/s/.*<version>\(.*\)<.*/\1/p' envs/pom.xml)

say() { printf 'install: %s\n' "$*"; }
stop() {
    say "$*" >&2
    exit 1
}
digest() { sha256sum | cut -c 1-16; }
gatk_jars=$cache/gatk-$gatk_version.$(digest < envs/pom.xml)

# ---- what is missing -----------------------------------------------------------------------

# `executable package`, one pair a line: the workflow's tools, then the simulator of the demo and the tests.
debian_tools() {
    sed -n 's/[][,]/ /g; s/^  executables://p; s/^  debian:/=/p' envs/tools.yaml |
        awk '/^=/ { for (i = 1; i <= n; i++) print executable[i], $2; next } { n = split($0, executable) }'
    echo art_illumina art-nextgen-simulation-tools
    if [[ $action =~ ^(test|proof)$ ]] && wants_slurm; then
        echo slurmctld slurm-wlm
        echo munged munge
    fi
    if [[ $action == proof ]] && (($(id -u) == 0)); then # the bare machine is root's to make
        echo debootstrap debootstrap
    fi
}
# A Slurm of the tests' own, which needs root; not where there is one already.
wants_slurm() {
    (($(id -u) == 0)) && type -P apt-get > /dev/null && [[ ! -e ${SLURM_CONF:-/etc/slurm/slurm.conf} ]] &&
        { type -P slurmctld > /dev/null || ! type -P sbatch > /dev/null; }
}
recent_python() { python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; }
python_brings_pip() { python3 -c 'import ensurepip' 2> /dev/null; }
debian_pip() { ls /usr/share/python-wheels/pip-*.whl 2> /dev/null; }
java_version() { java -version 2>&1 || true; }
recent_java() { [[ $(java_version) =~ version\ \"([0-9]+) ]] && ((BASH_REMATCH[1] >= 17)); }
needs_gatk() { ! type -P gatk > /dev/null; }
jdk=openjdk-17-jre-headless
pip_package=python3-pip-whl # not python3-venv: it may ask for a newer python3 than the one installed

missing_packages() {
    local executable package
    while read -r executable package; do
        type -P "$executable" > /dev/null || echo "$package"
    done < <(debian_tools) | uniq
    recent_python || echo python3
    python_brings_pip || [[ $(debian_pip) ]] || echo $pip_package
    if needs_gatk; then
        recent_java || echo $jdk
        [[ -n $bundle || -d $gatk_jars ]] || type -P mvn > /dev/null || echo maven
    fi
}

# ---- Debian packages: as root only, nothing upgraded, nothing removed -----------------------

install_packages() {
    local options=(--no-install-recommends --no-upgrade --no-remove) plan changes
    type -P apt-get > /dev/null || stop "not on PATH and no apt-get here to install them: $*"
    local by_root="apt-get update && apt-get install ${options[*]} $*"
    [[ -z $bundle ]] || by_root="BUNDLE='$bundle' '$checkout/envs/install.sh' --debian"
    (($(id -u) == 0)) || stop "these Debian packages are missing; run as root, then \`make\` again:
$by_root"
    say "Debian packages: $*"
    local source=()
    [[ -z $bundle ]] || bundle_source
    # The lock timeout outlasts the automatic updates of a machine that was just started.
    apt_get() {
        DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "${source[@]}" "$@" < /dev/null 9>&-
    }
    plan() { apt_get install --simulate "${options[@]}" "$@" 2> /dev/null; }
    plan=$(plan "$@") || { apt_get update && plan=$(plan "$@"); } ||
        stop "apt-get cannot install them: $(apt_get install --simulate "${options[@]}" "$@" 2>&1 | grep '^E:')"
    changes=$(sed -n 's/^Inst \([^ ]*\) \[.*/\1/p; s/^Remv \([^ ]*\).*/\1/p' <<< "$plan" | sort -u)
    [[ -z $changes ]] || stop "this would upgrade or remove ${changes//$'\n'/ }; if that is right, run as root:
apt-get install --no-install-recommends $*"
    # Package lists that have aged name files that the mirror no longer keeps.
    apt_get -y install "${options[@]}" "$@" > "$log.apt" 2>&1 ||
        { apt_get update && apt_get -y install "${options[@]}" "$@" > "$log.apt" 2>&1; } ||
        stop "apt-get failed, see $log.apt"
}

install_browser() {
    [[ ! $(type -P chromium chromium-browser google-chrome) ]] || return 0
    (install_packages chromium) || say "no Chromium: the report is not tested in a browser"
}

# Sets `source`, of install_packages, to options that leave apt the bundle as its only source. apt reads no path with
# spaces, and keeps its own lists and archives.
bundle_source() {
    local folder
    folder=$(mktemp -d "$cache/apt.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$folder'" EXIT
    mkdir -p "$folder"/{lists,archives}/partial
    ln -s "$bundle/debian" "$folder/debian"
    echo "deb [trusted=yes] file:$folder/debian ./" > "$folder/sources.list" # the digests were checked
    source=(-o Dir::Etc::SourceList="$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o Dir::State::Lists="$folder/lists" -o Dir::Cache::Archives="$folder/archives" -o APT::Sandbox::User=root)
}

check_bundle() {
    say "from $bundle, without network"
    (cd "$bundle" && sha256sum --check --quiet SHA256SUMS) || stop "$bundle is damaged. Mend: copy it again"
    cmp -s envs/requirements.txt "$bundle/requirements.txt" && [[ -d $bundle/gatk-$gatk_version ]] ||
        stop "$bundle is of another version. Mend: use the one that came with this release"
}

# ---- Python packages: an environment per lock and interpreter, never changed once complete --
# Compiled, since not everybody's Python may or does write what it compiled: each start of Snakemake costs half as much.

python_environment() {
    local version
    version=$(python3 -c 'import sys; print(sys._base_executable, sys.version, "compiled")' 2> /dev/null || true)
    printf '%s/python-%s' "$cache" "$(cat envs/requirements.txt - <<< "$version" | digest)"
}

install_python() {
    [[ -f $venv/complete ]] && return
    say "Python packages of envs/requirements.txt"
    rm -rf "$venv"
    if python_brings_pip; then python3 -m venv "$venv"; else python3 -m venv --without-pip "$venv"; fi
    local pip=(-m pip)
    [[ -d $(echo "$venv"/lib/python3*/site-packages/pip) ]] || pip=("$(debian_pip | tail -n 1)/pip")
    local from=(--requirement envs/requirements.txt)
    if [[ -n $bundle ]]; then
        # Hashes of the lock are of what the index has; the bundle's wheels, some of them made here, have its own digests.
        sed 's/ *--hash=[^ ]*//g; s/ *\\$//' envs/requirements.txt > "$venv/requirements.txt"
        from=(--no-index --find-links "$bundle/wheels" --requirement "$venv/requirements.txt")
    fi
    "$venv/bin/python" "${pip[@]}" install --quiet --no-deps --no-compile --disable-pip-version-check "${from[@]}" &&
        "$venv/bin/python" "${pip[@]}" check > /dev/null &&
        "$venv/bin/python" -m compileall -q -j 0 "$venv"/lib/python3*/site-packages && touch "$venv/complete"
}

# ---- GATK: jars of Maven Central, checksums verified, in place only when complete -----------

install_gatk() {
    needs_gatk || return 0
    [[ -d $gatk_jars ]] && return
    say "GATK $gatk_version, 424 MB"
    # Kept when the download breaks off, so that the next run goes on where this one stopped.
    local part=$gatk_jars.part
    if [[ -n $bundle ]]; then
        rm -rf "$part" && cp -r "$bundle/gatk-$gatk_version" "$part" && mv -T "$part" "$gatk_jars"
        return
    fi
    mvn -q -B --strict-checksums -f envs/pom.xml -Dmaven.repo.local="$part/repository" dependency:copy-dependencies \
        -DoutputDirectory="$part/jars" > "$log.mvn" 2>&1 || {
        say "Maven failed, see $log.mvn" >&2
        return 1
    }
    mv -T "$part/jars" "$gatk_jars"
    rm -rf "$part"
}

# GATK starts with a third less CPU from an archive of its loaded classes (-XX:SharedArchiveFile; same results), made by a
# small run: 80 simulated reads, half of them with one SNV. Java ignores an archive that another Java has made.
archive_gatk() {
    [[ -f $gatk_classes ]] || ! needs_gatk && return
    local scratch
    scratch=$(mktemp -d "$cache/classes.XXXXXX")
    awk -v OFS='\t' -v fasta="$scratch/r.fasta" 'BEGIN {
        while (i++ < 3000) reference = reference substr("ACGT", 1 + 4 * rand(), 1)
        print ">r\n" reference > fasta
        base = substr(reference, 1000, 1) == "A" ? "C" : "A"
        variant = substr(reference, 1, 999) base substr(reference, 1001)
        quality = sprintf("%100s", ""); gsub(/ /, "I", quality)
        print "@SQ\tSN:r\tLN:3000\n@RG\tID:r\tSM:r\tPL:ILLUMINA"
        for (i = 800; i < 1200; i += 5)
            print i, 0, "r", i, 60, "100M", "*", 0, 0, substr(i % 2 ? variant : reference, i, 100), quality, "RG:Z:r"
    }' | samtools view -b -o "$scratch/r.bam"
    samtools index "$scratch/r.bam"
    samtools faidx "$scratch/r.fasta"
    samtools dict -o "$scratch/r.dict" "$scratch/r.fasta"
    if java -XX:+UseSerialGC -XX:ArchiveClassesAtExit="$scratch/classes" -cp "$gatk_jars/*" \
        org.broadinstitute.hellbender.Main HaplotypeCaller -R "$scratch/r.fasta" -I "$scratch/r.bam" -ERC GVCF \
        -O "$scratch/r.g.vcf.gz" > "$log.classes" 2>&1; then
        mv "$scratch/classes" "$gatk_classes"
    else
        say "no class archive for GATK, which starts slower without; see $log.classes"
    fi
    rm -rf "$scratch"
}

# ---- .tools/bin: the one folder that goes on PATH -------------------------------------------

wrapper() {
    { echo '#!/bin/sh' && cat; } > "$bin/$1"
    chmod +x "$bin/$1"
}

fill_bin() {
    rm -rf "$bin"
    mkdir -p "$bin"
    for name in multiqc pytest ruff snakefmt snakemake; do ln -s "$venv/bin/$name" "$bin"; done
    # Wrappers, not links: Snakemake calls its interpreter by path, unquoted, and the checkout's may hold spaces.
    for name in python python3; do wrapper $name <<< "exec '$venv/bin/python' \"\$@\""; done
    ln -sfT "$venv" .venv
    wrapper ngc-wgs << END
PYTHONPATH='${checkout//\'/\'\\\'\'}/scripts'\${PYTHONPATH:+:\$PYTHONPATH} exec '$venv/bin/python' \\
    -c 'import sys; from ngc_cli import main; sys.argv[0] = "ngc-wgs"; sys.exit(main())' "\$@"
END
    if needs_gatk; then
        # The options of GATK's own launcher, which Maven Central does not carry.
        wrapper gatk << END
set -f
options=
if [ "\${1-}" = --java-options ]; then
    options=\$2
    shift 2
fi
exec java -XX:SharedArchiveFile='$gatk_classes' \\
    -Dsamjdk.use_async_io_read_samtools=false -Dsamjdk.use_async_io_write_samtools=true \\
    -Dsamjdk.use_async_io_write_tribble=false -Dsamjdk.compression_level=2 \$options \\
    -cp '$gatk_jars/*' org.broadinstitute.hellbender.Main "\$@"
END
    fi
    # Debian's mosdepth loads libhts.so, which only the development package brings; its library is the same file.
    if ! mosdepth --version > /dev/null 2>&1; then
        local library
        library=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p | awk '/libhts\.so\.3 / && !n++ { print $NF }')
        mkdir -p "$cache/lib"
        ln -sfT "$library" "$cache/lib/libhts.so"
        wrapper mosdepth << END
LD_LIBRARY_PATH='$cache/lib'\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec '$(type -P mosdepth)' "\$@"
END
    fi
}

# ---- the run ---------------------------------------------------------------------------------

state() { { echo "$checkout $venv $gatk_classes" && cat envs/install.sh envs/tools.yaml envs/pom.xml; } | digest; }
complete() {
    venv=$(python_environment)
    gatk_classes=$gatk_jars.$(java_version | digest).classes
    [[ -f $venv/complete && -f .tools/complete && $(< .tools/complete) == "$(state)" && ! $(missing_packages) ]] &&
        { [[ -d $gatk_jars ]] || ! needs_gatk; }
}

end() {
    # shellcheck source=envs/bundle.sh
    [[ $action != --bundle ]] || source envs/bundle.sh
    [[ ! $action =~ ^(test|proof)$ ]] || install_browser
    exit
}

[[ $action =~ ^(test|proof|--debian|--bundle)?$ ]] || stop "$action: no such option; see the head of $0"
complete && { say "everything is in place" && end; }

[[ $cache != *[[:space:]\']* ]] || stop "the cache $cache has a space in its path: set XDG_CACHE_HOME to a folder without"
mkdir -p "$cache" .tools || stop "cannot write $cache and $checkout/.tools"
exec 9> "$cache/lock"
flock --nonblock 9 || { say "waiting for another installation" && flock 9; }
complete && { say "everything is in place" && end; }
[[ -z $bundle ]] || check_bundle

rm -f .tools/complete
packages=$(missing_packages)
# shellcheck disable=SC2086
[[ -z $packages ]] || { install_packages $packages && hash -r; }
packages=$(missing_packages)
[[ -z $packages ]] || stop "still missing after the installation: ${packages//$'\n'/ }; is an older version first on PATH?"
[[ $action != --debian ]] || exit 0

complete || true # names what the new interpreters make
{ install_gatk && archive_gatk; } &
gatk=$!
install_python || { kill $gatk 2> /dev/null || true; stop "the Python packages could not be installed"; }
wait $gatk || stop "GATK could not be installed"
fill_bin
PATH=$bin:$PATH PYTHONPATH=scripts "$venv/bin/python" -m ngc_wgs.tools envs/tools.yaml --optional bwa-mem2 manta verifybamid2
state > .tools/complete
say "done"
end
