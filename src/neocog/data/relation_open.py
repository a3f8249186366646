"""One door for sentences with relations, and for bags of them: a file, or a folder of train, dev and test files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from neocog.core.errors import DataError
from neocog.data.bags import Bag, holds_bags, read_bags
from neocog.data.conll_open import by_part, part_of
from neocog.data.dataset import DataSet, Part
from neocog.data.folder import is_ignored
from neocog.data.labels import class_list
from neocog.data.open import checked, note_small
from neocog.data.semeval import RelationSentence, holds_relations, read_semeval
from neocog.data.sentence_items import items_of
from neocog.data.split import keep_aside
from neocog.data.text_items import TextItems
from neocog.data.text_lines import ENCODING

JSONL = (".jsonl", ".ndjson", ".json")
SUFFIXES = (".txt", *JSONL)
EXPECTED = (
    "a file in the format of SemEval-2010 task 8 or JSONL of bags, or a folder of such files called train and test"
)
ASIDE = 0.1  # of the samples that have no parts of their own

Sample = RelationSentence | Bag


def open_relations(
    source: str | Path,
    *,
    encoding: str = ENCODING,
    split_seed: int = 0,
    exclude: str | Path | Iterable[str] | None = None,
    for_training: bool = True,
) -> DataSet[Sample]:
    """Reads sentences or bags with their relations, which are the classes; of a folder the files that hold such.

    A file is read alone, as the part that it names, or else as ``train``. A bag of several relations is a sample for
    each of them (Lin et al. 2016). ``for_training`` asks for a train part and two relations, and adds the parts that
    are missing.
    Raises DataError, with file and line, for what cannot be read, and for two files of one part.
    """
    path = Path(source).expanduser()
    files = relation_files(path, encoding)
    if not files:
        raise DataError(f"{path}: there are no sentences with relations; expected {EXPECTED}")
    if for_training and "train" not in files:
        raise DataError(f"{path}: no train part to learn from; found {', '.join(files)}")
    data = checked(_read(path, files, encoding), exclude, for_training=for_training)
    return keep_aside(note_small(data), seed=split_seed) if for_training else data


def hold_relations(source: str | Path | None, encoding: str = ENCODING) -> bool:
    """Tells whether ``source`` is a data set of sentences with relations, or of bags, by the files' first lines."""
    path = None if source is None else Path(source).expanduser()
    try:
        if path is None or not path.is_dir():
            return path is not None and _holds(path, encoding)
        return bool(relation_files(path, encoding))
    except DataError:
        return True  # two files of one part: whoever reads them says so
    except OSError:
        return False


def relation_files(path: Path, encoding: str = ENCODING) -> dict[str, Path]:
    """Returns a folder's files that hold relations, by part, or the file itself; raises DataError for two of a part."""
    if not path.is_dir():
        return {part_of(path)[1] or "train": path}
    files = [each for each in sorted(path.iterdir()) if each.suffix.lower() in SUFFIXES and not is_ignored(each.name)]
    return by_part([each for each in files if each.is_file() and _holds(each, encoding)])


def _holds(path: Path, encoding: str) -> bool:
    return holds_relations(path, encoding) or holds_bags(path, encoding)


def as_texts(data: DataSet[Sample]) -> DataSet[str]:
    """Returns the same samples as texts with their marks, of a bag a line a sentence."""
    parts = {
        name: Part(
            TextItems([marked(each) for each in samples_of(part)], [*map(part.items.name, range(len(part)))]),
            part.labels,
        )
        for name, part in data.parts.items()
    }
    return DataSet(data.source, data.classes, parts, data.notes, data.aside)


def samples_of(part: Part[Sample]) -> list[Sample]:
    """Returns the samples of a part."""
    return [part.items.read(place) for place in range(len(part))]


def are_bags(data: DataSet[Sample]) -> bool:
    """Tells whether the samples are bags rather than single sentences."""
    return any(isinstance(part.items.read(0), Bag) for part in data.parts.values() if len(part))


def sentences_of(sample: Sample) -> Sequence[RelationSentence]:
    """Returns the sentences of a bag, or the one sentence."""
    return sample.sentences if isinstance(sample, Bag) else (sample,)


def marked(sample: Sample) -> str:
    """Returns a sample's sentences with their marks, a line each."""
    return "\n".join(each.marked for each in sentences_of(sample))


def _read(source: Path, files: dict[str, Path], encoding: str) -> DataSet[Sample]:
    notes = [", ".join(f"{part} from {file.name}" for part, file in files.items())] if len(files) > 1 else []
    kinds = {file.name: file.suffix.lower() in JSONL or holds_bags(file, encoding) for file in files.values()}
    if len(set(kinds.values())) > 1:
        raise DataError(f"{source} holds both bags and single sentences; name one file of {', '.join(kinds)}")
    read: dict[str, tuple[list[Sample], list[str]]] = {}
    for part, file in files.items():
        if kinds[file.name]:
            read[part] = _labelled(bags := read_bags(file, encoding))
            several = sum(len(bag.relations) > 1 for bag in bags)
            if several:
                notes.append(f"{file.name}: {several:,} bags of {len(bags):,} have several relations: a sample each")
        else:
            sentences = read_semeval(file, encoding)
            read[part] = (list(sentences), [each.relation for each in sentences])
    classes = class_list(relation for _, relations in read.values() for relation in relations)
    index = {name: place for place, name in enumerate(classes)}
    parts = {
        part: Part(items_of(files[part].name, samples), tuple(index[relation] for relation in relations))
        for part, (samples, relations) in read.items()
    }
    return DataSet(str(source), classes, parts, tuple(notes), aside=ASIDE)


def _labelled(bags: Sequence[Bag]) -> tuple[list[Sample], list[str]]:
    """Returns each bag once for each of its relations, and these."""
    pairs = [(bag, relation) for bag in bags for relation in bag.relations]
    return [bag for bag, _ in pairs], [relation for _, relation in pairs]
