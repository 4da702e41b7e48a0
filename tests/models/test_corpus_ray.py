"""A corpus read on a Ray cluster of two nodes, one of which is taken away in the middle."""

import pytest

from explorer.corpus.engines import Here, Ray
from explorer.corpus.running import Settings, run
from explorer.corpus.texts import Corpus
from explorer.errors import ExplorerError
from tests.models.corpus_texts import texts_of
from tests.models.tiny import tiny_model

ray = pytest.importorskip("ray", reason="Ray is not installed: requirements-ray.txt")
# What Ray leaves open in this process, and what it will do otherwise in a later version.
pytestmark = pytest.mark.filterwarnings("default")


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_two_nodes_of_which_one_is_taken_away_give_what_one_process_gives(tmp_path):
    from ray.cluster_utils import Cluster

    model = tiny_model("Model", tmp_path)
    corpus = Corpus(None, lines=[t.parts[0] for t in texts_of(120)])
    settings = Settings(f"path:{model}", shard_texts=10)
    run(corpus, tmp_path / "here", settings, Here())

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    node = cluster.add_node(num_cpus=1)
    taken = []

    def take_away(progress):
        if progress.n_shards >= 2 and not taken:
            taken.append(node)
            cluster.remove_node(node, allow_graceful=False)

    try:
        engine = Ray(cluster.address)
        run(corpus, tmp_path / "ray", settings, engine, take_away)
        engine.close()
    finally:
        cluster.shutdown()
    assert taken
    assert files_of(tmp_path / "ray") == files_of(tmp_path / "here")


def test_a_cluster_that_is_not_there_is_said():
    with pytest.raises(ExplorerError, match=r"no Ray cluster at “127\.0\.0\.1:1”"):
        Ray("127.0.0.1:1")
