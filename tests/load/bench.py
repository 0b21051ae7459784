#!/usr/bin/env python3
"""Measures the engine against the figures of docs/ARCHITECTURE.md: SIPp and the RTP sink on core 1, the engine on core 0.

Every figure stands beside its baseline of the same run: SIPp answering SIPp (`sig`), which is the generator's own
ceiling on this machine. scripts/bench builds what is needed and calls this; --help lists the steps.
"""
import argparse
import csv
import glob
import hashlib
import io
import json
import os
import re
import resource
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
GUDOK = os.path.join(ROOT, "target", "release", "gudok")
TARGET = "127.0.0.1:5070"
API = "http://127.0.0.1:8070/api/v1"
STORE = os.path.join(ROOT, "target", "load-store")
BUNDLE = os.path.join(ROOT, "plugins", "target", "bundles", "bench-1.0.0.ivr")
ENGINE_CORE, LOAD_CORE = "0", "1"
SINK_PORT = 40000
DESCRIPTORS = 20000
TICKS = os.sysconf("SC_CLK_TCK")

# name: (user part, calls/s, seconds, calls in all, limit at once, digit after ms, CPU window in s, tell)
STEPS = {
    "sig": dict(user="sig", seconds=60, sink=False),
    "l30": dict(user="l30", rate=200, seconds=45, sink=True, window=(13, 28)),
    "ivr": dict(user="ivr", seconds=25, sink=True, digit_ms=3100, window=(6, 24)),
    "answer": dict(user="sig", rate=50, seconds=20, sink=False),
    "memory": dict(user="wait", rate=200, seconds=30, sink=False, window=(10, 18)),
}


def percentile(values, share):
    values = sorted(values)
    return round(values[min(len(values) - 1, int(share * len(values)))], 3) if values else None


class Process:
    """What /proc says of a process."""

    def __init__(self, pid):
        self.pid = pid

    def cpu_seconds(self):
        fields = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mib(self):
        for line in open(f"/proc/{self.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0


class Engine:
    """gudok serve, pinned to its core, on a fresh store."""

    def __init__(self, more=""):
        """With more lines of configuration."""
        self.config = os.path.join(HERE, "gudok.toml")
        if more:
            # Paths in the file are the file's: a copy elsewhere has whole ones.
            text = open(self.config).read().replace('"../../', f'"{ROOT}/')
            self.config = os.path.join(tempfile.mkdtemp(prefix="gudok-bench-"), "gudok.toml")
            with open(self.config, "w") as copy:
                copy.write(more + text)

    def __enter__(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        # Without what stands beside it, the engine would look for the store that it had, and go on without one.
        subprocess.run(["rm", "-rf", STORE, f"{STORE}-emergency"], check=True)
        command = ["taskset", "-c", ENGINE_CORE, GUDOK, "serve", "--config", self.config]
        log = open(os.path.join(tempfile.gettempdir(), "gudok-bench-engine.log"), "w")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True,
                                        env={**os.environ, "RUST_LOG": "error"})
        line = self.process.stdout.readline()
        if "ready" not in line:
            sys.exit(f"bench: the engine did not start; see {log.name}")
        return self.process.pid

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class SippAnswers:
    """SIPp as the one that is called. The baseline: it answers and hangs up, on the engine's core."""

    def __init__(self, scenario="answerer.xml", address=TARGET, core=ENGINE_CORE):
        self.scenario, self.core = scenario, core
        self.host, self.port = address.split(":")

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="gudok-baseline-")
        command = ["taskset", "-c", self.core, "sipp", "-i", self.host, "-p", self.port, "-sf",
                   os.path.join(HERE, "scenarios", self.scenario), "-nostdin", "-buff_size", "4194304"]
        self.process = subprocess.Popen(command, cwd=self.dir, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while f":{int(self.port):04X} " not in open("/proc/net/udp").read():
            if self.process.poll() is not None:
                sys.exit(f"bench: SIPp did not start with {self.scenario}")
        return self.process.pid

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def sink_program():
    program = os.path.join(ROOT, "target", "load-sink")
    source = os.path.join(HERE, "sink.c")
    if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(source):
        subprocess.run(["gcc", "-O2", "-o", program, source], check=True)
    return program


def run_step(pid, user, rate, seconds, calls=None, limit=100_000, sink=False, digit_ms=-1, window=None, most_s=None):
    """One step of load; answers what was seen."""
    folder = tempfile.mkdtemp(prefix="gudok-step-")
    peer = Process(pid)
    sinker = None
    if sink:
        arguments = ["taskset", "-c", LOAD_CORE, sink_program(), "127.0.0.1", str(SINK_PORT), folder + "/sink.json",
                     str(digit_ms), "0"]
        sinker = subprocess.Popen(arguments)
        time.sleep(0.3)
    command = ["taskset", "-c", LOAD_CORE, "sipp", TARGET, "-i", "127.0.0.1", "-p", "5061",
               "-sf", os.path.join(HERE, "scenarios", "caller.xml"), "-s", user, "-key", "sinkip", "127.0.0.1",
               "-key", "sinkport", str(SINK_PORT), "-r", str(rate), "-m", str(calls or int(rate * seconds)),
               "-l", str(limit), "-nostdin", "-trace_stat", "-stf", folder + "/stat.csv", "-fd", "1", "-trace_rtt",
               "-rtt_freq", "1", "-timeout_error", "-trace_err", "-error_file", folder + "/err.log",
               "-buff_size", "4194304", "-timeout", str(int(seconds * 3 + 180))]
    rss_before = peer.rss_mib()
    # SIPp writes its round-trip file beside itself: it runs in the step's folder.
    load = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    began, samples = time.time(), []
    while load.poll() is None:
        samples.append((time.time() - began, peer.cpu_seconds(), peer.rss_mib()))
        time.sleep(0.5)
        if most_s and time.time() - began > most_s:
            load.send_signal(signal.SIGUSR1)
            load.wait(60)
    if sinker:
        time.sleep(0.3)
        sinker.send_signal(signal.SIGTERM)
        sinker.wait()
    return summary(folder, samples, rss_before, window or (min(3, seconds / 5), seconds - 0.5), sinker is not None)


def summary(folder, samples, rss_before, window, sink):
    rows = list(csv.reader(open(folder + "/stat.csv"), delimiter=";"))
    head, last = rows[0], dict(zip(rows[0], rows[-1]))
    count = lambda name: int(last.get(name, 0) or 0)
    at_once = [int(row[head.index("CurrentCall")]) for row in rows[1:] if len(row) >= len(head) - 1]
    seen = {"calls": count("TotalCallCreated"), "ok": count("SuccessfulCall(C)"), "failed": count("FailedCall(C)"),
            "retransmissions": count("Retransmissions(C)"), "at_once": max(at_once or [0])}
    times = {}
    for file in glob.glob(folder + "/*rtt*"):
        for row in csv.reader(open(file), delimiter=";"):
            try:
                times.setdefault(row[2].strip(), []).append(float(row[1]))
            except (IndexError, ValueError):
                continue
    for key, name in (("1", "answer_ms"), ("2", "ack_to_bye_ms")):
        if key in times:
            values = times[key]
            seen[name] = {"p50": percentile(values, 0.5), "p99": percentile(values, 0.99), "max": max(values)}
    inside = [sample for sample in samples if window[0] <= sample[0] <= window[1]]
    if len(inside) >= 2:
        first, end = inside[0], inside[-1]
        seen["cpu_pct"] = round(100 * (end[1] - first[1]) / (end[0] - first[0]), 1)
        calls = at_once[int(window[0]):max(int(window[0]) + 1, int(window[1]))]
        seen["calls_mean"] = round(sum(calls) / len(calls), 1) if calls else 0
        seen["rss_mib"] = round(statistics.mean(sample[2] for sample in inside) - rss_before, 1)
    if sink:
        seen["rtp"] = json.load(open(folder + "/sink.json"))
    return seen


class Capture:
    """The wire itself: SIPp tells times to the millisecond only."""

    def __enter__(self):
        self.file = os.path.join(tempfile.mkdtemp(prefix="gudok-wire-"), "sip.pcap")
        command = ["taskset", "-c", LOAD_CORE, "tcpdump", "-i", "lo", "-s", "400", "-B", "65536", "-w", self.file,
                   "udp port " + TARGET.split(":")[1]]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.process.stderr.readline()  # "listening on lo"
        return self

    def __exit__(self, *_):
        time.sleep(0.5)
        self.process.send_signal(signal.SIGINT)
        self.process.wait()

    def answer_ms(self):
        """INVITE to the first 200, for each call."""
        return [took for _, took in self.calls()]

    def calls(self):
        """When each call began, and how long INVITE to the first 200 took in ms; by their beginning."""
        ETHERNET_IP_UDP = 14 + 20 + 8
        data, at, asked, answered = open(self.file, "rb").read(), 24, {}, {}
        while at + 16 <= len(data):
            seconds, micros, kept, _ = struct.unpack_from("<IIII", data, at)
            message = data[at + 16 + ETHERNET_IP_UDP:at + 16 + kept]
            at += 16 + kept
            call = re.search(rb"\r\nCall-ID: ([^\r]+)", message, re.IGNORECASE)
            if not call:
                continue
            now = seconds + micros / 1e6
            if message.startswith(b"INVITE"):
                asked.setdefault(call[1], now)
            elif message.startswith(b"SIP/2.0 200") and call[1] in asked:
                answered.setdefault(call[1], 1000 * (now - asked[call[1]]))
        return sorted((asked[call], took) for call, took in answered.items())


class Versions:
    """New versions of the measured script, by the admins' API."""

    def __init__(self):
        self.token = open(os.path.join(STORE, "first-token")).read().strip()
        self.last = 0

    def ask(self, method, path, body=None, kind="application/json", etag=None):
        headers = {"Authorization": "Bearer " + self.token, "Content-Type": kind}
        if etag:
            headers["If-Match"] = etag
        request = urllib.request.Request(API + path, data=body, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer), answer.headers.get("ETag")
        except urllib.error.HTTPError as refusal:
            sys.exit(f"bench: {method} {path}: {refusal.code} {refusal.read().decode()}")

    def upload(self):
        """The next version, with a component that nobody has compiled yet; answers its id."""
        self.last += 1
        version, word = f"1.1.{self.last}", f"version {self.last}".encode()
        with zipfile.ZipFile(BUNDLE) as bundle:
            files = {name: bundle.read(name) for name in bundle.namelist() if name != "SHA256SUMS"}
        files["manifest.toml"] = files["manifest.toml"].replace(b'version = "1.0.0"', f'version = "{version}"'.encode())
        # A custom section, which nobody reads.
        files["script.wasm"] += bytes([0, len(word) + 1, len(word)]) + word
        sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
        files["SHA256SUMS"] = sums.encode()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, data in files.items():
                bundle.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_STORED if name.startswith("media") else None)
        taken, _ = self.ask("POST", "/bundles?agency=bench", archive.getvalue(), "application/octet-stream")
        return taken["version"]["id"]

    def deploy(self, entry, version):
        path = f"/deployments/bench/{entry}"
        _, etag = self.ask("GET", path)
        order = json.dumps({"version": version}).encode()
        began = time.time()
        self.ask("PUT", path, order, etag=etag)
        return began, time.time()


class Meanwhile(threading.Thread):
    """Does something again and again while the load runs; answers what each round gave."""

    def __init__(self, work, pause_s):
        super().__init__(daemon=True)
        self.work, self.pause_s, self.rounds, self.enough = work, pause_s, [], threading.Event()

    def run(self):
        while not self.enough.wait(self.pause_s):
            self.rounds.append(self.work())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.enough.set()
        self.join()


def switch(pid):
    """Calls right after a switch of versions against all others of the same run."""
    RATE, SECONDS, EVERY_S = 200, 40, 0.25
    versions = Versions()
    both, turn = [versions.upload(), versions.upload()], [0]

    def swap():
        turn[0] += 1
        return versions.deploy("sig", both[turn[0] % 2])

    swap()
    with Capture() as wire, Meanwhile(swap, EVERY_S) as swaps:
        seen = run_step(pid, "sig", RATE, SECONDS)
    calls = wire.calls()
    near, others = [], []
    for asked, took in calls:
        # Between the order and its answer, and the first call after that.
        during = any(began <= asked <= ended for began, ended in swaps.rounds)
        (near if during else others).append((asked, took))
    for _, ended in swaps.rounds:
        after = [call for call in others if call[0] > ended]
        if after:
            near.append(after[0])
            others.remove(after[0])
    times = lambda calls: [took for _, took in calls]
    return {**seen, "switches": len(swaps.rounds), "near": len(near),
            "near_ms": {"p50": percentile(times(near), 0.5), "p99": percentile(times(near), 0.99)},
            "others_ms": {"p50": percentile(times(others), 0.5), "p99": percentile(times(others), 0.99)}}


def campaign(pid, attempts_per_s, seconds):
    """A campaign whose callees are all busy: prepare, claim, INVITE, 486, record, for each of them."""
    admins, peer, count = Versions(), Process(pid), attempts_per_s * seconds
    document = {"agency": "emergency", "entry": "flood", "trunk": "busy", "window": "mon-sun 00:00-24:00",
                "calls_per_s_max": attempts_per_s, "calls_max": 2000, "ring_s": 10, "attempts_max": 1,
                "attempts_per_day_max": 1, "retries": {}}
    admins.ask("PUT", "/campaigns/bench", json.dumps(document).encode())
    rows = "number\n" + "".join(f"+7914{number:07}\n" for number in range(count))
    began = time.time()
    report, _ = admins.ask("POST", "/campaigns/bench/contacts?format=csv", rows.encode(), "text/csv")
    imported_s = time.time() - began
    with SippAnswers("busy.xml", "127.0.0.2:5080", LOAD_CORE):
        admins.ask("POST", "/campaigns/bench/start", b"{}")
        samples = []
        while True:
            campaign, _ = admins.ask("GET", "/campaigns/bench")
            figures = campaign["figures"]
            samples.append((time.time(), figures["attempts"], peer.cpu_seconds()))
            if figures["state"] == "finished" or samples[-1][0] - samples[0][0] > seconds * 3 + 30:
                break
            time.sleep(0.5)
    # The middle of it: neither the start nor the last ones.
    inside = [sample for sample in samples if 0.2 * count <= sample[1] <= 0.9 * count]
    first, end = inside[0], inside[-1]
    took = max(0.001, end[0] - first[0])
    return {"attempts_per_s": round((end[1] - first[1]) / took, 1), "cpu_pct": round(100 * (end[2] - first[2]) / took, 1),
            "contacts": count, "added": report["added"], "rows_per_s": round(count / imported_s),
            "attempts": samples[-1][1], "dispositions": figures["dispositions"]}


def compile_under_load(pid, concurrent):
    """Playing calls while one bundle after another is checked and compiled on the engine's own core."""
    versions = Versions()
    quiet = run_step(pid, "l30", concurrent / 10, 45, calls=concurrent, sink=True, window=(13, 28))
    with Meanwhile(versions.upload, 0) as uploads:
        busy = run_step(pid, "l30", concurrent / 10, 45, calls=concurrent, sink=True, window=(13, 28))
    return {"uploads": len(uploads.rounds), "quiet": quiet, "busy": busy}


def journal(rate, seconds, turns):
    """CPU of a call with its journal and without, by turns: the same menu calls on fresh engines, the best of each."""
    cost, dropped = {"on": [], "off": []}, 0
    for turn in range(turns):
        # Which of both comes first changes, so that whatever grows in time favours none.
        for mode in (("off", "on"), ("on", "off"))[turn % 2]:
            with Engine(f"[journal]\nenabled = {'true' if mode == 'on' else 'false'}\n") as pid:
                warm_up(pid)
                peer, began = Process(pid), Process(pid).cpu_seconds()
                seen = run_step(pid, "ivr", rate, seconds, sink=True, digit_ms=3100)
                cost[mode].append((peer.cpu_seconds() - began) / max(1, seen["ok"]) * 1e6)
                if mode == "on":
                    with urllib.request.urlopen("http://127.0.0.1:8070/metrics") as answer:
                        text = answer.read().decode()
                    counts = re.findall(r"^gudok_journals_dropped_total\S* (\d+)", text, re.MULTILINE)
                    kept = re.findall(r"^gudok_journals_kept_total (\d+)", text, re.MULTILINE)
                    dropped += sum(map(int, counts))
    on, off = min(cost["on"]), min(cost["off"])
    return {"cpu_us_on": round(on), "cpu_us_off": round(off), "percent": round((on / off - 1) * 100, 2),
            "all_on": [round(one) for one in cost["on"]], "all_off": [round(one) for one in cost["off"]],
            "kept": int(kept[0]) if kept else 0, "dropped": dropped}


def deploy(calls_per_s):
    """Fifty versions under load: the same test that CI runs, on the release build."""
    command = ["cargo", "test", "--release", "--locked", "--quiet", "-p", "gudok-sockets", "--test", "deploy_under_load",
               "--", "--nocapture"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "GUDOK_CALLS_PER_S": str(calls_per_s)}).returncode == 0


def clean(seen, prompts=1):
    """No failure, no retransmission; with sound: nothing late, no jump inside a prompt."""
    if seen["failed"] or seen["retransmissions"] or seen["ok"] == 0:
        return False
    rtp = seen.get("rtp")
    return not rtp or (rtp["calls_late_gt40ms"] == 0 and rtp["lost"] == 0 and rtp["discont"] <= (prompts - 1) * seen["ok"])


def warm_up(pid):
    run_step(pid, "sig", 200, 2)


def line(figure, value, must, aim, verdict):
    print(f"{figure:<46} {value:>16} {must:>12} {aim:>10}  {verdict}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*",
                        default=["baseline", "sig", "l30", "ivr", "answer", "memory", "overload", "switch", "compile", "campaign", "journal"],
                        help="baseline sig l30 ivr answer memory overload switch compile campaign journal deploy soak")
    parser.add_argument("--sig", type=int, default=2400, help="calls/s for sig")
    parser.add_argument("--l30", type=int, default=2000, help="concurrent calls for l30")
    parser.add_argument("--ivr", type=int, default=400, help="calls/s for ivr")
    parser.add_argument("--seconds", type=int, default=60, help="length of sig")
    parser.add_argument("--compile", type=int, default=500, help="concurrent calls for compile")
    parser.add_argument("--campaign", type=int, default=600, help="attempts/s for campaign")
    parser.add_argument("--deploy", type=int, default=200, help="calls/s for deploy")
    parser.add_argument("--journal", type=int, default=50, help="calls/s for journal: below what one core plays prompts to")
    parser.add_argument("--journal-turns", type=int, default=3, help="how often journal measures each side")
    parser.add_argument("--soak-seconds", type=int, default=1800)
    parser.add_argument("--json", action="store_true", help="what was seen, as JSON lines")
    args = parser.parse_args()
    results = {}

    def keep(name, seen):
        results[name] = seen
        if args.json:
            print(json.dumps({"step": name, **seen}), flush=True)
        return seen

    if not args.json:
        line("figure, one core", "measured", "must", "aim", "")
    for step in args.steps:
        if step == "baseline":
            with SippAnswers() as pid:
                seen = keep(step, run_step(pid, "sig", args.sig, 10))
            if not args.json:
                line(f"baseline: SIPp answers {args.sig}/s, its CPU %", seen.get("cpu_pct", "-"), "", "", "")
            continue
        if step == "deploy":
            verdict = "clean" if deploy(args.deploy) else "NOT clean"
            line("fifty versions deployed at, calls/s", args.deploy, "200", "", verdict)
            continue
        if step == "journal":
            seen = keep(step, journal(args.journal, 20, args.journal_turns))
            if not args.json:
                line("CPU that a journal adds to a call, %", seen["percent"], "5", "2",
                     f"{seen['cpu_us_on']} against {seen['cpu_us_off']} µs a call, {seen['kept']} kept, {seen['dropped']} dropped")
            continue
        with Engine() as pid:
            warm_up(pid)
            if step == "switch":
                seen = keep(step, switch(pid))
                cost = round(seen["near_ms"]["p50"] - seen["others_ms"]["p50"], 3)
                ratio = round(seen["near_ms"]["p50"] / seen["others_ms"]["p50"], 2)
                good = clean(seen) and cost < 1
                show = ("a switch costs the next call, ms (p50)", cost, "1", "",
                        f"{'clean' if good else 'NOT clean'}, {ratio} x others ({seen['near_ms']['p50']} of "
                        f"{seen['others_ms']['p50']} ms; p99 {seen['near_ms']['p99']} of {seen['others_ms']['p99']} ms), "
                        f"{seen['switches']} switches, {seen['near']} calls")
            elif step == "compile":
                seen = keep(step, compile_under_load(pid, args.compile))
                quiet, busy = seen["quiet"], seen["busy"]
                late, worst = busy["rtp"]["calls_late_gt40ms"], busy["rtp"]["late_ms"]["max"]
                ratio = round(busy["answer_ms"]["p99"] / max(1, quiet["answer_ms"]["p99"]), 2)
                good = clean(busy) and seen["uploads"] > 0
                show = ("bundles compiled under load: late calls", late, "0", "",
                        f"{'clean' if good else 'NOT clean'}, {seen['uploads']} bundles, worst packet {worst} ms against "
                        f"{quiet['rtp']['late_ms']['max']} ms, answer p99 {ratio} x ({busy['answer_ms']['p99']} of "
                        f"{quiet['answer_ms']['p99']} ms)")
            elif step == "campaign":
                seen = keep(step, campaign(pid, args.campaign, 20))
                whole = seen["attempts"] == seen["contacts"] == seen["dispositions"].get("busy")
                verdict = f"{'all recorded' if whole else 'NOT all recorded'}, CPU {seen['cpu_pct']} %, import {seen['rows_per_s']} rows/s"
                show = ("a campaign's attempts (claim, INVITE, 486, record)/s", seen["attempts_per_s"], "500", "", verdict)
            elif step == "sig":
                seen = keep(step, run_step(pid, "sig", args.sig, args.seconds, limit=6000, most_s=args.seconds + 20))
                base = results.get("baseline", {}).get("cpu_pct")
                ratio = f", CPU {seen['cpu_pct']} % = {seen['cpu_pct'] / base:.1f} x baseline" if base else ""
                verdict = "clean" + ratio if clean(seen) else f"NOT clean: {seen['failed']} failed, {seen['retransmissions']} retransmissions"
                show = (f"sig for {args.seconds} s, calls/s", args.sig, "2400", "4000", verdict)
            elif step == "l30":
                ramp = args.l30 / 10
                seen = keep(step, run_step(pid, "l30", int(ramp), 45, calls=args.l30, sink=True, window=(13, 28)))
                lasted = seen.get("ack_to_bye_ms", {})
                in_time = lasted and 30_000 <= lasted["p50"] and lasted["max"] <= 30_300
                per_100 = round(100 * seen.get("cpu_pct", 0) / max(1, seen.get("calls_mean", 1)), 2)
                rtp = seen["rtp"]
                verdict = ("clean" if clean(seen) and in_time else "NOT clean") + (
                    f", {rtp['calls_late_gt40ms']} late, worst {rtp['late_ms']['max']} ms, prompt {lasted.get('p50')}–{lasted.get('max')} ms")
                show = ("l30, concurrent", seen["at_once"], "2000", "4000", verdict)
                if not args.json:
                    line("CPU per 100 playing calls, % of a core", per_100, "4", "2", "")
            elif step == "ivr":
                seen = keep(step, run_step(pid, "ivr", args.ivr, 25, sink=True, digit_ms=3100, window=(6, 24)))
                rtp = seen["rtp"]
                good = clean(seen, prompts=2)
                verdict = ("clean" if good else "NOT clean") + f", {rtp['calls_late_gt40ms']} late, worst {rtp['late_ms']['max']} ms, CPU {seen.get('cpu_pct')} %"
                show = ("ivr, calls/s", args.ivr, "400", "800", verdict)
            elif step == "answer":
                with Capture() as wire:
                    seen = run_step(pid, "sig", 50, 20)
                times = wire.answer_ms()
                answer = seen["answer_ms"] = {"p50": percentile(times, 0.5), "p99": percentile(times, 0.99)}
                keep(step, seen)
                show = ("INVITE -> 200 at 50/s, p50 / p99 ms", f"{answer['p50']} / {answer['p99']}", "1 / 3", "0.5 / 1.5", "")
            elif step == "memory":
                seen = keep(step, run_step(pid, "wait", 200, 30, calls=3900, window=(19, 20.5)))
                calls = max(1, seen.get("calls_mean", 1))
                show = ("memory per call with its script, MiB", round(seen.get("rss_mib", 0) / calls, 3), "0.14", "0.1",
                        f"{seen['at_once']} calls at once")
            elif step == "overload":
                seen = keep(step, overload(pid))
                show = ("120 % of the limit: refused, late among the rest", f"{seen['refused']} / {seen['late']}", "> 0 / 0", "",
                        f"{seen['ok']} served")
            elif step == "soak":
                seconds = args.soak_seconds
                seen = keep(step, run_step(pid, "ivr", int(args.ivr * 0.7), seconds, sink=True, digit_ms=3100,
                                           window=(60, seconds - 5), most_s=seconds + 60))
                show = (f"soak {seconds} s at 70 % of ivr: MiB grown, late calls",
                        f"{seen.get('rss_mib')} / {seen['rtp']['calls_late_gt40ms']}", "flat / 0", "", "")
            else:
                sys.exit(f"bench: no step is called {step!r}")
            if not args.json:
                line(*show)


def overload(pid):
    """A fifth more playing calls than tests/load/gudok.toml admits: the excess gets 503, nobody who is in is late."""
    text = open(os.path.join(HERE, "gudok.toml")).read()
    limit = int(re.search(r"^calls_max = (\d+)", text, re.MULTILINE)[1])
    seen = run_step(pid, "l30", limit // 12, 45, calls=int(limit * 1.2), sink=True, window=(15, 27))
    return {"ok": seen["ok"], "refused": seen["failed"], "late": seen["rtp"]["calls_late_gt40ms"], **seen}


if __name__ == "__main__":
    main()
