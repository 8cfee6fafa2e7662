AI_EXTENSIONS_STANDALONE_COURSES = [
    {"path": "/srv/exports/photosynthesis.tar.gz", "staff": ["amina"], "learners": "*"},
    {"path": "/srv/exports/chemistry", "staff": ["amina"], "learners": ["ben", "chiara"]},
]

AI_EXTENSIONS_STANDALONE_LIBRARIES = {
    "lib:OpenedX:quizzes": {"path": "/srv/libraries/quizzes", "editors": ["amina"]},
}
