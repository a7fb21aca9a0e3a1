"""Prints pages as WeasyPrint's documentation shows: `HTML(string=...).write_pdf()`."""

import json
import resource
import sys
import time

from weasyprint import HTML, __version__

warm, *pages = json.load(sys.stdin)
HTML(string=warm).write_pdf()
seconds = []
for page in pages:
    started = time.perf_counter()
    HTML(string=page).write_pdf()
    seconds.append(time.perf_counter() - started)
megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"seconds": seconds, "megabytes": megabytes, "version": __version__}))
