"""
A line that says that a message was deleted, where a link wants one.

Without it a copy vanishes with its original. What has replies leaves a tombstone of the
platform's own in either case: neither Slack nor Teams takes a thread away with its root.
"""

from dataclasses import replace

from bridge.delivery import Post
from bridge.document import Document, Paragraph, Style, Text

GONE = Document((Paragraph((Text("(deleted)", (Style.ITALIC,)),)),))


def buried(post: Post) -> Post:
    """Return the post that stands for a deleted one. Its author stays, its words go."""
    return replace(
        post, document=GONE, earlier=(), reactions=(), files=(), note="", tombstone=True
    )
