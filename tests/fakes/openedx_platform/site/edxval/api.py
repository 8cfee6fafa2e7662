from edxval.exceptions import TranscriptNotFoundError
from tests.fakes.openedx_platform import world


def get_video_transcript_data(video_id, language_code):
    world.current.calls["get_video_transcript_data"] += 1
    found = world.current.val.get((video_id, language_code))
    if found is None:
        return None
    file_name, content = found
    if content is None:
        raise TranscriptNotFoundError(file_name)
    return {"file_name": file_name, "content": content}
