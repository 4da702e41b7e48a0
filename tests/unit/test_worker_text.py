"""The worker that makes tiles travels as a text in the code of the pages that use it."""

import json
import re
import shutil
import subprocess

import pytest

from explorer.instrument.assets import HOSTS, bundle, modules_of

USING = [host for host in HOSTS if "wire/workertext" in modules_of(host)]


def test_explore_and_the_file_of_it_have_the_worker():
    assert {"explore", "explorefile"} <= set(USING)


@pytest.mark.parametrize("host", USING)
def test_the_text_in_a_page_is_the_worker_s_whole_code(host):
    found = re.search(r'const WORKER_TEXT = ("(?:[^"\\]|\\.)*");', bundle(host))
    assert found, "nothing was filled in"
    assert json.loads(found[1]) == bundle("tiles")
    assert "</" not in bundle("tiles"), "it would end the script that it stands in"


@pytest.mark.skipif(shutil.which("node") is None, reason="it is run by Node")
def test_the_worker_s_code_runs_on_its_own_and_answers_an_order(tmp_path):
    order = """
    const said = [];
    globalThis.postMessage = (made) => said.push(made);
    """
    ask = """
    const side = { tokens: Int32Array.of(0, 1), starts: Int32Array.of(0, 1, 2) };
    const about = { rows: side, columns: side, nKeys: 2, combine: "mean", rescaled: false };
    const heads = [{ name: "h", head: { weights: Float32Array.of(0.25, 0.75, 0.5, 0.5) } }];
    globalThis.onmessage({ data: { name: "j", row: 0, column: 0, job: { about, heads } } });
    console.log(JSON.stringify([...said[0].tile]));
    """
    script = tmp_path / "worker.mjs"
    script.write_text(order + bundle("tiles") + ask, "utf-8")
    done = subprocess.run(["node", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [0.25, 0.75, 0.5, 0.5]
