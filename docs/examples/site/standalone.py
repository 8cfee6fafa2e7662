AI_EXTENSIONS_STANDALONE = {
    "COURSES": [
        {"path": "/srv/exports/photosynthesis.tar.gz", "staff": ["amina"], "learners": "*"},
        {"path": "/srv/exports/chemistry", "staff": ["amina"], "learners": ["ben", "chiara"]},
    ],
    "LIBRARIES": {
        "lib:OpenedX:quizzes": {"path": "/srv/libraries/quizzes", "editors": ["amina"]},
    },
}
