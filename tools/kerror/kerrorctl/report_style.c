// SPDX-License-Identifier: GPL-2.0-only
/*
 * The style sheet of the page of kerrorctl report. Colours are told apart by those who
 * do not see red and green, too, and each is named where it counts.
 */
#include "report_html.h"

const char report_style[] =
":root{color-scheme:light dark;--fg:#1a1a1a;--bg:#fff;--dim:#666;--line:#ddd;--card:#f6f6f6;"
"--crit:#8b1a5c;--err:#c8371b;--warning:#e0a000;--other:#5b8db8}\n"
"@media (prefers-color-scheme:dark){:root{--fg:#e6e6e6;--bg:#16181c;--dim:#9a9a9a;"
"--line:#363a42;--card:#1f2228;--crit:#e070b0;--err:#f0705a;--warning:#f0c040;--other:#6fa8d6}}\n"
"*{box-sizing:border-box}\n"
"body{font:15px/1.45 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:75em;"
"margin:0 auto;padding:1em}\n"
"h1{font-size:1.5em;margin:.2em 0}h2{font-size:1.1em;margin:1.8em 0 .4em}\n"
"p{margin:.3em 0}.dim{color:var(--dim)}\n"
".tiles{display:flex;flex-wrap:wrap;gap:.6em;margin:1em 0}\n"
".tile{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.5em .8em;"
"min-width:7em}.tile b{display:block;font-size:1.5em}\n"
".scroll{overflow-x:auto}\n"
"table{border-collapse:collapse;width:100%}\n"
"th{text-align:left;font-weight:600;color:var(--dim);font-size:.85em}\n"
"th,td{padding:.25em .6em .25em 0;border-bottom:1px solid var(--line);vertical-align:top}\n"
"td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
"td.t{white-space:nowrap}td.w,code{overflow-wrap:anywhere}code{font-size:.92em}\n"
"svg{display:block;width:100%;height:auto}svg text{fill:var(--dim);font-size:11px}\n"
"svg.bar{width:7em;height:.8em;margin-top:.35em}.grid{stroke:var(--line)}\n"
"rect.crit{fill:var(--crit)}rect.err{fill:var(--err)}rect.warning{fill:var(--warning)}"
"rect.other{fill:var(--other)}\n"
"span.crit,span.err,span.warning,span.other{white-space:nowrap}\n"
"span.crit:before,span.err:before,span.warning:before,span.other:before{content:'';"
"display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.35em}\n"
"span.crit:before{background:var(--crit)}span.err:before{background:var(--err)}"
"span.warning:before{background:var(--warning)}span.other:before{background:var(--other)}\n"
".legend{display:flex;flex-wrap:wrap;gap:1em;font-size:.85em;color:var(--dim)}\n"
".card{background:var(--card);border-left:4px solid var(--other);padding:.5em .8em;"
"margin:.5em 0;overflow-wrap:anywhere}.card.crit{border-color:var(--crit)}"
".card.err{border-color:var(--err)}.card.warning{border-color:var(--warning)}\n"
"@media (max-width:40em){.wide{display:none}body{padding:.6em}}\n"
"@media print{:root{--fg:#000;--bg:#fff;--dim:#444;--line:#bbb;--card:#fff;--crit:#8b1a5c;"
"--err:#c8371b;--warning:#e0a000;--other:#5b8db8}body{max-width:none;font-size:11px}"
"h2{break-after:avoid}tr,.card,svg{break-inside:avoid}"
"rect,span:before{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";
