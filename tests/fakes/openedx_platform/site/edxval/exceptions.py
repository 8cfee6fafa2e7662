class ValError(Exception):
    pass


class TranscriptNotFoundError(ValError):
    pass
