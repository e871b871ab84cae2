"""A headless Chromium that opens pages, driven over its debugging pipe; no further package."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time

import numpy as np

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 120
AS_PIPES = (
    "import fcntl, os, sys; F = fcntl.F_DUPFD;"
    "read, write = fcntl.fcntl({read}, F, 10), fcntl.fcntl({write}, F, 10);"
    "os.dup2(read, 3); os.dup2(write, 4); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Becomes the browser, with its commands on the descriptor 3 and its answers on 4."""


def found_browser():
    """The path of a Chromium or Chrome, or None; Windows hands on no pipes."""
    if sys.platform == "win32":
        return None
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of a browser; to be closed."""

    def __init__(self, folder):
        read, self._commands = os.pipe()
        self._answers, write = os.pipe()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                AS_PIPES.format(read=read, write=write),
                found_browser(),
                "--headless=new",
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--use-angle=swiftshader",
                "--enable-unsafe-swiftshader",
                f"--user-data-dir={folder}",
                "--remote-debugging-pipe",
                "about:blank",
            ],
            pass_fds=(read, write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read)
        os.close(write)
        self._ids = itertools.count(1)
        self._buffer = b""
        self._session = None
        self.events = []
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(each["targetId"] for each in targets if each["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """Send a command and return its result."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def _next(self):
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            if not select.select([self._answers], [], [], deadline - time.monotonic())[0]:
                raise TimeoutError("the browser does not answer")
            part = os.read(self._answers, 1 << 20)
            if not part:
                raise ConnectionError("the browser has gone")
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def resize(self, width, height, *, density=1, mobile=False):
        """Give the page a size in CSS pixels, and screen pixels for each."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=density, mobile=mobile,
        )  # fmt: skip

    def prefer(self, scheme):
        """Prefer ``dark`` or ``light``."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=features)

    def open(self, path, fragment=""):
        """Open a page of Meta-SR and wait until it is drawn."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=path.resolve().as_uri() + fragment)
        self.evaluate(
            "new Promise(done => { const wait = () => window.metasr ? "
            "metasr.ready.then(done, done) : setTimeout(wait, 20); wait(); })"
        )
        self.settle()

    def settle(self):
        """Wait until what was asked for is on the page."""
        frame = "new Promise(done => requestAnimationFrame(done))"
        self.evaluate(f"{frame}.then(() => {frame})")

    def evaluate(self, expression):
        """Return the value of an expression of JavaScript, or of what it promises."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description"))
        return answer["result"].get("value")

    def text(self, name):
        """Return the text of an element."""
        return self.evaluate(f"document.getElementById('{name}').textContent.trim()")

    def set_value(self, name, value):
        """Move a slider."""
        self.evaluate(
            f"(() => {{ const control = document.getElementById('{name}');"
            f"control.value = {value}; control.dispatchEvent(new Event('input')); }})()"
        )
        self.settle()

    def array(self, expression):
        """Return a Float32Array that an expression promises."""
        text = self.evaluate(
            f"(async () => {{ const values = await {expression}; let text = '';"
            "const bytes = new Uint8Array(values.buffer);"
            "for (let at = 0; at < bytes.length; at += 32768)"
            " text += String.fromCharCode(...bytes.subarray(at, at + 32768));"
            "return btoa(text); })()"
        )
        return np.frombuffer(base64.b64decode(text), "<f4")

    def key(self, key):
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            extra = {"text": key} if len(key) == 1 and kind == "keyDown" else {}
            if key == "Tab":
                extra = {"code": "Tab", "windowsVirtualKeyCode": 9}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, **extra)
        self.settle()

    def drag(self, start, stop):
        """Press the mouse at a place (x, y), move it to another, and let it go."""
        for kind, (x, y) in (
            ("mousePressed", start), ("mouseMoved", stop), ("mouseReleased", stop),
        ):  # fmt: skip
            self.call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1,
                clickCount=1,
            )  # fmt: skip
        self.settle()

    def wheel(self, place, lines):
        """Turn the wheel; towards the user is positive."""
        x, y = place
        self.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=lines)
        self.settle()

    def photograph(self, path):
        """Write what is seen as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def close(self):
        """End the browser."""
        self._session = None
        with contextlib.suppress(ConnectionError, TimeoutError):
            self.call("Browser.close")
        os.close(self._commands)
        self._process.wait(timeout=PATIENCE)
        os.close(self._answers)
