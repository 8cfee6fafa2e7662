"""Packaging of openedx-ai-extensions."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent


def requirements(name: str) -> list[str]:
    """The requirements of ``requirements/<name>.in`` without comments and file references."""
    lines = (HERE / "requirements" / f"{name}.in").read_text(encoding="utf-8").splitlines()
    stripped = (line.split(" #")[0].strip() for line in lines)
    return [line for line in stripped if line and not line.startswith(("#", "-"))]


VERSION = re.search(r'__version__ = "(.+)"', (HERE / "openedx_ai_extensions/__init__.py").read_text("utf-8")).group(1)

setup(
    name="openedx-ai-extensions",
    version=VERSION,
    description="AI workflows for Open edX courses, as a plugin for the LMS and Studio",
    long_description=(HERE / "README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="Apache-2.0",
    # Our own, and those of what the widget's bundle contains.
    license_files=["LICENSE", "openedx_ai_extensions/static/openedx_ai_extensions/*.LICENSE.txt"],
    packages=find_packages(include=["openedx_ai_extensions", "openedx_ai_extensions.*"]),
    include_package_data=True,
    python_requires=">=3.11",
    install_requires=requirements("base"),
    extras_require={
        "demo": [*requirements("openapi"), *requirements("demo")],
        "openapi": requirements("openapi"),
        "streaming": requirements("streaming"),
    },
    entry_points={
        "lms.djangoapp": ["openedx_ai_extensions = openedx_ai_extensions.apps:OpenEdXAIExtensionsConfig"],
        "cms.djangoapp": ["openedx_ai_extensions = openedx_ai_extensions.apps:OpenEdXAIExtensionsConfig"],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Framework :: Django",
        "Framework :: Django :: 4.2",
        "Framework :: Django :: 5.2",
        "Intended Audience :: Education",
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
    ],
)
