from xmodule.exceptions import NotFoundError

from tests.fakes.openedx_platform import world


def get_transcript(block, lang=None, output_format="srt"):
    world.current.calls["get_transcript"] += 1
    assert output_format == "srt"
    lang = lang or next(iter(block.transcripts), "en")
    file = world.current.folder / "static" / block.transcripts.get(lang, "none")
    if not file.is_file():
        raise NotFoundError
    return file.read_text(), f"{file.stem}.srt", "application/x-subrip; charset=utf-8"
