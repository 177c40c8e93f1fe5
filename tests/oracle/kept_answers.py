"""What uv answered earlier, so that it is asked only once for each lock, flags and target.

`answers/uv-VERSION.json` has a key for each question: the beginning of a hash over the kind of
question, what uv reads of the project, the flags and the target. Its value is a number in the list
of answers. `pytest --take=all --keep-answers tests/oracle` writes the file anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from oracle.uv_runs import Answer, OracleTarget

PATH = Path(__file__).parent / "answers" / f"uv-{version('uv')}.json"
_KEY_LENGTH = 16
_REFUSED = "refused"

Files = frozenset[str]


def read() -> dict[str, str]:
    """Return the answers that are kept, as they are written, by their keys."""
    if not PATH.exists():
        return {}
    kept = json.loads(PATH.read_text(encoding="utf-8"))
    texts = [json.dumps(answer) for answer in kept["answers"]]
    return {key: texts[number] for key, number in kept["keys"].items()}


@dataclass(slots=True)
class KeptAnswers:
    """Answers by key. With `anew` uv is always asked, and has to say what it said before.

    `given` are those of this run; `names` maps texts of this run alone to what stands for them.
    """

    known: dict[str, str]
    anew: bool
    names: Mapping[str, str] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)

    def packages(
        self,
        lock: Path,
        flags: Sequence[str],
        targets: Sequence[OracleTarget],
        ask: Callable[[Sequence[OracleTarget]], Mapping[str, Answer]],
    ) -> dict[str, Answer]:
        """Return what uv would install from a lock for each target, by its id."""
        keys = {target.id: self._key("packages", lock, flags, target) for target in targets}
        unknown = [target for target in targets if self.anew or keys[target.id] not in self.known]
        fresh = ask(unknown) if unknown else {}
        for target, answer in fresh.items():
            self._keep(keys[target], _written(answer))
        return {target: self._answer(key)[0] for target, key in keys.items()}

    def files(
        self,
        lock: Path,
        flags: Sequence[str],
        target: OracleTarget,
        ask: Callable[[], tuple[Answer, Files]],
    ) -> tuple[Answer, Files]:
        """Return what uv installs for a target, and the files that it fetches for that."""
        key = self._key("files", lock, flags, target)
        if self.anew or key not in self.known:
            answer, asked = ask()
            self._keep(key, _written(answer, asked))
        return self._answer(key)

    def write(self) -> None:
        """Replace what is kept by what was given in this run."""
        texts = sorted(set(self.given.values()))
        keys = {key: texts.index(text) for key, text in sorted(self.given.items())}
        PATH.parent.mkdir(exist_ok=True)
        answers = ",\n".join(texts)
        PATH.write_text(
            f'{{"answers": [\n{answers}\n],\n"keys": {json.dumps(keys, indent=0)}}}\n',
            encoding="utf-8",
        )

    def _answer(self, key: str) -> tuple[Answer, Files]:
        self.given[key] = self.known[key]
        packages, files = json.loads(self.known[key])
        if packages == _REFUSED:
            return Answer(refusal=_REFUSED), frozenset(files)
        return Answer(packages=packages), frozenset(files)

    def _keep(self, key: str, answer: str) -> None:
        before = self.known.get(key, answer)
        assert before == answer, f"uv said {before} before, and now {answer}"
        self.known[key] = answer

    def _key(self, kind: str, lock: Path, flags: Sequence[str], target: OracleTarget) -> str:
        read = {lock, *(path for path in lock.parent.rglob("*.toml") if path.name != "pylock.toml")}
        digest = hashlib.sha256(json.dumps([kind, *flags, target.id]).encode())
        for path in sorted(read):
            text = path.read_text(encoding="utf-8")
            for own, name in self.names.items():
                text = text.replace(own, name)
            digest.update(f"\n{path.relative_to(lock.parent)}\n{text}".encode())
        return digest.hexdigest()[:_KEY_LENGTH]


def _written(answer: Answer, files: Files = frozenset()) -> str:
    packages = _REFUSED if answer.refusal is not None else dict(sorted(answer.packages.items()))
    return json.dumps([packages, sorted(files)])
