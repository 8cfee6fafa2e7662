r"""What models write between the quotes of a JSON string, and the text that they mean.

Each row is an id, the characters as they stand in the reply, and the text.
"""

from __future__ import annotations

import json
import re

# Commands with one backslash. JSON reads "\f", "\b", "\n", "\r", "\t" as control characters and refuses the rest.
UNESCAPED = [
    ("times", r"\(\frac{1}{2}\times 4\)", r"\(\frac{1}{2}\times 4\)"),
    ("beta", r"\(\beta + \bar{x}\)", r"\(\beta + \bar{x}\)"),
    ("nabla", r"\(\nabla f = 0\)", r"\(\nabla f = 0\)"),
    ("rho", r"\(\rho = m/V\)", r"\(\rho = m/V\)"),
    ("neq", r"\(a \neq b\)", r"\(a \neq b\)"),
    ("ne", r"\(a\ne b\)", r"\(a\ne b\)"),
    ("nu in inline mathematics", r"\(E = h\nu\)", r"\(E = h\nu\)"),
    ("nu first", r"\(\nu\)", r"\(\nu\)"),
    ("ni", r"\(A \ni x\)", r"\(A \ni x\)"),
    ("rightarrow", r"\(a\rightarrow b\)", r"\(a\rightarrow b\)"),
    ("text", r"\(v = 3\text{ m/s}\)", r"\(v = 3\text{ m/s}\)"),
    ("theta, tau, to", r"\(\theta\to\tau\)", r"\(\theta\to\tau\)"),
    ("tan", r"\(\tan x = 1\)", r"\(\tan x = 1\)"),
    ("forall, not, notin", r"\(\forall x \notin A \not= B\)", r"\(\forall x \notin A \not= B\)"),
    ("boxed", r"\[\boxed{x = 2}\]", r"\[\boxed{x = 2}\]"),
    ("unit is no character", r"\(3\,\unit{kg}\)", r"\(3\,\unit{kg}\)"),
    ("underline, upsilon", r"\(\underline{x}\upsilon\uparrow\)", r"\(\underline{x}\upsilon\uparrow\)"),
    ("left and right", r"\(\left(\frac{a}{b}\right)^2\)", r"\(\left(\frac{a}{b}\right)^2\)"),
    ("bigl, binom", r"\(\bigl(\binom{n}{k}\bigr)\)", r"\(\bigl(\binom{n}{k}\bigr)\)"),
    ("rangle, rfloor", r"\(\langle x\rangle \lfloor y\rfloor\)", r"\(\langle x\rangle \lfloor y\rfloor\)"),
    ("tfrac, tilde, top", r"\(\tfrac12\tilde{x}A^\top\)", r"\(\tfrac12\tilde{x}A^\top\)"),
    ("triangle, therefore", r"\(\triangle ABC \therefore x\)", r"\(\triangle ABC \therefore x\)"),
    ("neg, nexists, nmid", r"\(\neg p, \nexists x, 2\nmid 3\)", r"\(\neg p, \nexists x, 2\nmid 3\)"),
    ("boldsymbol, bullet", r"\(\boldsymbol{v}\bullet w\)", r"\(\boldsymbol{v}\bullet w\)"),
    ("sums", r"\[\sum_{i=1}^{n} i = \frac{n(n+1)}{2}\]", r"\[\sum_{i=1}^{n} i = \frac{n(n+1)}{2}\]"),
    ("subscripts and spaces", r"\(x_{\max}\;y\!z\, \{a\}\)", r"\(x_{\max}\;y\!z\, \{a\}\)"),
    ("dollars", r"$\frac{a}{b}\neq\tau$ and $h\nu$", r"$\frac{a}{b}\neq\tau$ and $h\nu$"),
    ("two dollars", r"$$\nu = \frac{c}{\lambda}$$", r"$$\nu = \frac{c}{\lambda}$$"),
    ("no delimiters", r"Take \frac{1}{2}\times 4.", r"Take \frac{1}{2}\times 4."),
    ("nabla without delimiters", r"\nabla f", r"\nabla f"),
    ("nu without delimiters", r"\nu", r"\nu"),
    ("nu among words", r"the frequency \nu is", r"the frequency \nu is"),
    ("neq without delimiters", r"a\neq b, and a \ne 5", r"a\neq b, and a \ne 5"),
    ("to without delimiters", r"x\to 0 and \tan x", r"x\to 0 and \tan x"),
    ("after a command", r"\alpha\neq\beta, \theta\to 0, \Delta\nu", r"\alpha\neq\beta, \theta\to 0, \Delta\nu"),
    ("an apostrophe", r"it\'s \(f\'(x)\)", r"it's \(f'(x)\)"),
    ("a character of Unicode for a form feed", r"\(\u000crac{1}{2}\u0008ar x\)", r"\(\frac{1}{2}\bar x\)"),
    ("an unknown command", r"\(\foo{x}\rmd y\tr A\)", r"\(\foo{x}\rmd y\tr A\)"),
    ("next to Chinese", r"速度\(\nu\)和\(\theta角\)", r"速度\(\nu\)和\(\theta角\)"),
    (
        "a matrix",
        r"\(\begin{pmatrix} a & b \\ c & d \end{pmatrix}\)",
        r"\(\begin{pmatrix} a & b \\ c & d \end{pmatrix}\)",
    ),
    ("rows with variables", r"\[\begin{cases}x&1\\y&2\end{cases}\]", r"\[\begin{cases}x&1\\y&2\end{cases}\]"),
    ("rows with a length", r"\begin{align}a\\[2pt]b\end{align}", r"\begin{align}a\\[2pt]b\end{align}"),
    (
        "rows with commands",
        r"\begin{array}{c}1\\\hline\nu\\\frac12\\\tau\end{array}",
        r"\begin{array}{c}1\\\hline\nu\\\frac12\\\tau\end{array}",
    ),
    ("a display over several lines", r"\[\nx = \frac{1}{2}\n\]", "\\[\nx = \\frac{1}{2}\n\\]"),
    ("a regular expression", r"<code>\bword\b \d+</code>", r"<code>\bword\b \d+</code>"),
]

# A grammar that allows valid JSON only forces "\\(" and "\\alpha", and lets "\times" and "\beta" pass.
HALF_ESCAPED = [
    ("times", r"\\(\\frac{1}{2}\times 4\\)", r"\(\frac{1}{2}\times 4\)"),
    ("frac", r"\\(\frac{1}{2}\\times 4\\)", r"\(\frac{1}{2}\times 4\)"),
    ("beta", r"\\(\\alpha\beta\\)", r"\(\alpha\beta\)"),
    ("nu", r"\\(E = h\nu = \\hbar\\omega\\)", r"\(E = h\nu = \hbar\omega\)"),
    ("ne", r"\\(\\alpha \ne 0\\)", r"\(\alpha \ne 0\)"),
    ("to", r"\\(\\lim_{x\to 0}\\)", r"\(\lim_{x\to 0}\)"),
    ("right", r"\\(\\left(x\right)\\)", r"\(\left(x\right)\)"),
    ("a display", r"\\[\nabla\times F\\]", r"\[\nabla\times F\]"),
    (
        "rows",
        r"\\begin{cases} x & x>0 \\ -x & x<0 \\end{cases}",
        r"\begin{cases} x & x>0 \\ -x & x<0 \end{cases}",
    ),
    (
        "rows on lines",
        r"\\begin{aligned}\na &= b \\\nc &= d\n\\end{aligned}",
        "\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}",
    ),
]

# JSON as it should be: nothing is changed.
ESCAPED = [
    ("frac and times", r"\\(\\frac{1}{2}\\times 4\\)", r"\(\frac{1}{2}\times 4\)"),
    ("nabla, neq, nu", r"\\(\\nabla \\neq \\nu\\)", r"\(\nabla \neq \nu\)"),
    (
        "rows",
        r"\\(\\begin{matrix}1 \\\\ 2 \\\\[2pt] x\\ y\\end{matrix}\\)",
        r"\(\begin{matrix}1 \\ 2 \\[2pt] x\ y\end{matrix}\)",
    ),
    ("rows with commands", r"\\begin{array}{c}1\\\\\\hline 2\\end{array}", r"\begin{array}{c}1\\\hline 2\end{array}"),
    ("spaces", r"\\(a\\ b\\, c\\;d\\!\\{e\\}\\)", r"\(a\ b\, c\;d\!\{e\}\)"),
    ("a display over several lines", r"\\[\nx = \\frac{1}{2}\n\\]", "\\[\nx = \\frac{1}{2}\n\\]"),
    ("a power of e on a line", r"\\[\ne^{i\\pi} + 1 = 0\n\\]", "\\[\ne^{i\\pi} + 1 = 0\n\\]"),
    ("u on a line", r"\\[\nu = x^2\n\\]", "\\[\nu = x^2\n\\]"),
    (
        "i on a line after a row",
        r"\\begin{aligned}\na &= b \\\\\ni &= j\n\\end{aligned}",
        "\\begin{aligned}\na &= b \\\\\ni &= j\n\\end{aligned}",
    ),
    ("indented", r"\\[\n\tx = 1\n\\]", "\\[\n\tx = 1\n\\]"),
    ("a path", r"C:\\temp\\new", r"C:\temp\new"),
    ("a server", r"\\\\server\\share", r"\\server\share"),
    ("code", r"<code>print(\"a\\nb\")</code>", r'<code>print("a\nb")</code>'),
]

# Escapes that mean what JSON says.
PLAIN = [
    ("lines", r"line one\nline two", "line one\nline two"),
    ("a paragraph", r"One.\n\nabout two", "One.\n\nabout two"),
    ("a table", r"name\tsize\r\nleaf\t3", "name\tsize\r\nleaf\t3"),
    ("words that a command ends in", r"one\nexists\nless\nmid\nsim\nparallel", "one\nexists\nless\nmid\nsim\nparallel"),
    ("short words", r"parola\ne poi\ni drugi\nu gradu", "parola\ne poi\ni drugi\nu gradu"),
    ("a list", r"Either:\ne) this\n1.\tan apple\tto eat", "Either:\ne) this\n1.\tan apple\tto eat"),
    ("words that begin as a command", r"a\number\name\table", "a\number\name\table"),
    ("code", r"<pre>x = 1\neq = 2\n\treturn\nu</pre>", "<pre>x = 1\neq = 2\n\treturn\nu</pre>"),
    ("code without tags", r"x = 1\neq = 2", "x = 1\neq = 2"),
    ("an accent", r"caf\u00e9 \ud83d\ude00 \u03b1", "café 😀 α"),
    ("quotes and slashes", r"say \"hello\" <\/b>", 'say "hello" </b>'),
    ("prices", r"It costs $5\ne poi $6\nu", "It costs $5\ne poi $6\nu"),
    ("a formula and lines", r"\\(x\\)\n\\(y\\)\nabove\nu", "\\(x\\)\n\\(y\\)\nabove\nu"),
    ("lines as they are", "one\ntwo\tthree", "one\ntwo\tthree"),
    ("lines as they are in a formula", "\\\\[\nu = 1\n\\\\]", "\\[\nu = 1\n\\]"),
]

# Every backslash written four times.
TWICE_ESCAPED = [
    ("frac", r"\\\\(\\\\frac{1}{2}\\\\times 4\\\\)", r"\(\frac{1}{2}\times 4\)"),
]

DECIDED = [*UNESCAPED, *HALF_ESCAPED, *ESCAPED, *PLAIN, *TWICE_ESCAPED]

# Texts as they are meant, to be spelled in each of the ways below.
MEANT = r"""
The energy is \(E = \tfrac{1}{2}mv^2\), in joules.
\(\vec{F} = -\nabla U\) points downhill.
\[\oint_{\partial S} \mathbf{B}\cdot d\mathbf{l} = \mu_0 I + \mu_0\varepsilon_0 \frac{d\Phi_E}{dt}\]
If \(\theta \neq \frac{\pi}{2}\), then \(\tan\theta = \frac{\sin\theta}{\cos\theta}\).
The threshold frequency is \(\nu_0 = \phi/h\); below \(\nu_0\) nothing happens.
\(2\,\text{H}_2 + \text{O}_2 \rightarrow 2\,\text{H}_2\text{O}\)
\(\text{pH} = -\log_{10}[\text{H}^+]\)
\(K_a \times K_b = K_w\)
\(A = \begin{bmatrix} 1 & 0 \\ 0 & 1 \end{bmatrix}\) is the identity.
\(\det\begin{vmatrix}a&b\\c&d\end{vmatrix} = ad-bc\)
\[f(x) = \begin{cases} x^2 & \text{if } x \geq 0 \\ -x & \text{otherwise} \end{cases}\]
\[\begin{aligned} \nabla\cdot E &= \frac{\rho}{\varepsilon_0} \\ \nabla\times E &= -\partial_t B \end{aligned}\]
\(\forall \epsilon > 0\ \exists \delta > 0\)
\(\neg(p \land q) \equiv \neg p \lor \neg q\)
\(A \not\subseteq B\) and \(x \notin A\)
\(\mathbb{R}^n \ni x \mapsto \lVert x\rVert\)
\(\lim_{n\to\infty} \left(1+\frac{1}{n}\right)^n = e\)
\(\binom{n}{k} = \frac{n!}{k!(n-k)!}\)
\(\bar{x} = \frac{1}{n}\sum_{i=1}^{n} x_i\)
\(\beta_1 = \rho\,\frac{s_y}{s_x}\)
\(H_0: \mu = \mu_0\) against \(H_1: \mu \ne \mu_0\)
\(\tau = rF\sin\theta\) is the torque.
\(n \nmid m\), \(a \nleq b\), \(l \nparallel m\)
\(u = x^2,\ du = 2x\,dx\)
\(\underbrace{a+\dots+a}_{n\text{ times}}\)
\(\hat{y} = \mathbf{X}\boldsymbol{\hat\beta}\)
\(\frac{\partial^2 u}{\partial t^2} = c^2\nabla^2 u\)
\(\langle\psi|\hat{H}|\psi\rangle\)
\(\lfloor x \rfloor \le x \le \lceil x \rceil\)
\(A^\top A\) and \(\triangle ABC\)
\(\sqrt[3]{27} = 3\), \(\root 3 \of {27} = 3\)
\(\boxed{x = \frac{-b\pm\sqrt{b^2-4ac}}{2a}}\)
\(p \Rightarrow q\), \(\therefore q\)
\(\Delta G = \Delta H - T\Delta S\)
$\frac{dy}{dx} = \tan x$
$$\int_0^1 \frac{1}{1+x^2}\,dx = \frac{\pi}{4}$$
\(\begin{pmatrix} \cos\theta & -\sin\theta \\ \sin\theta & \cos\theta \end{pmatrix}\)
\(\begin{array}{c|c} p & \neg p \\ \hline T & F \\ F & T \end{array}\)
Use \(\beta\), not \(b\); \(\nu\), not \(v\); \(\tau\), not \(t\).
\(f\colon \mathbb{N}\to\mathbb{N}\), \(n\mapsto n+1\)
\(\texttt{print}\), \(\textbf{x}\), \(\textit{y}\), \(\textrm{z}\)
\(\uparrow\downarrow\), \(\upsilon\), \(\uplus\), \(\underset{x}{\max}\)
\(\tilde{x}\), \(\breve{x}\), \(\ddot{x}\), \(\bigcup_{i} A_i\), \(\bigoplus\)
\(5\,\mu\text{m} \approx 5\times 10^{-6}\,\text{m}\)
\(c = \lambda\nu\) and \(E = h\nu\)
\(x \equiv 2 \pmod 5\), \(\gcd(a,b)\)
\(\rm{rank}(A) + \rm{nullity}(A) = n\)
\(F_n = F_{n-1} + F_{n-2}\)
\(\{x \mid x \nless 3\}\)
The ratio \(a:b\) is \(\text{"two to one"}\).
""".strip().splitlines()

# A line break or a command: nothing tells which.
UNDECIDED = [
    ("nu on one of several lines", r"\\[\nE = h\nu\n\\]", r"\nu"),
]


def unescaped(text: str) -> str:
    """As a model writes it that thinks of LaTeX and not of JSON."""
    return text.replace('"', r"\"")


def half_escaped(text: str) -> str:
    """As the same model writes it whose provider takes valid JSON only: what JSON refuses gets a second backslash."""
    doubled = re.sub(r"(\\\\)|\\(?![bfnrt]|u[0-9a-fA-F]{4})", lambda match: match[1] or r"\\", text)
    return unescaped(doubled)


def escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


SPELLINGS = (unescaped, half_escaped, escaped)
