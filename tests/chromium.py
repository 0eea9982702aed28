"""A headless Chromium for tests of pages, driven through its own protocol over a pipe.

No driver and no library: two pipes and JSON with a zero byte behind it.
Protocol: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REQUIRED_VARIABLE = "VLE_BENCH_REQUIRE_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-pipe",
)
PATIENCE = 60.0
NUMBERS = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39}


class Browser:
    """One Chromium with one tab."""

    def __init__(self, program: str, profile: Path) -> None:
        to_browser, self._in = os.pipe()
        self._out, from_browser = os.pipe()
        # Chromium reads its orders on descriptor 3 and answers on 4, by whatever way they come.
        shell = f'exec 3<&{to_browser} 4>&{from_browser}; exec "$0" "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, program, *OPTIONS, f"--user-data-dir={profile}"],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = b""
        self._number = 0
        self._session = ""
        self.asked_for: list[str] = []
        """Every address that the page asked for, itself included."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One order and its answer; what happened meanwhile is noted."""
        self._number += 1
        order: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._in, json.dumps(order).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("method") == "Network.requestWillBeSent":
                self.asked_for.append(answer["params"]["request"]["url"])
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, page: Path, state: str = "", *, width: int = 1280, height: int = 900) -> None:
        """Shows the page and waits until its script has run."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.send("Page.navigate", url="about:blank")
        self.asked_for.clear()
        self.send("Page.navigate", url=f"{page.resolve().as_uri()}#{state}")
        self.wait("document.body && document.body.dataset.ready === 'yes'")

    def wait(self, condition: str) -> None:
        end = time.monotonic() + PATIENCE
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < end, f"never came true: {condition}"
            time.sleep(0.02)

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        done = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def press(self, key: str) -> None:
        """A key by its name or letter, down and up."""
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        described = {"key": key, "windowsVirtualKeyCode": NUMBERS.get(key, 0)}
        down = "keyDown" if text else "rawKeyDown"
        extra = {"text": text} if text else {}
        self.send("Input.dispatchKeyEvent", type=down, **described, **extra)
        self.send("Input.dispatchKeyEvent", type="keyUp", **described)

    def screenshot(self) -> bytes:
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        os.close(self._in)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._out)

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._out], [], [], PATIENCE)
            piece = os.read(self._out, 1 << 20) if ready else b""
            assert piece, "the browser is silent"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)


def find_browser() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium; without one the tests are skipped, and fail where it is required."""
    program = find_browser()
    if program is None:
        if os.environ.get(REQUIRED_VARIABLE):
            pytest.fail("no browser is installed: apt-get install chromium")
        pytest.skip("no browser: install chromium, then run make test-browser")
    found = Browser(program, tmp_path_factory.mktemp("profile"))
    yield found
    found.close()
