from xmodule.exceptions import NotFoundError

from tests.fakes.openedx_platform import world


def get_transcript(block, lang=None, output_format="srt"):
    world.current.calls["get_transcript"] += 1
    assert output_format == "txt"
    lang = lang or next(iter(block.transcripts), "en")
    file = world.current.folder / "static" / block.transcripts.get(lang, "none")
    if not file.is_file():
        raise NotFoundError
    cues = file.read_text().strip().split("\n\n")
    return "\n".join(line for cue in cues for line in cue.splitlines()[2:]), f"{file.stem}.txt", "text/plain"
