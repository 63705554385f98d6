/** The status page's style sheet: light and dark by what the browser prefers, one column on narrow screens. */
export const STATUS_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #ffffff; --line: #dfe3e8; --grid: #e9ecf0; --text: #1b2330; --dim: #5c6675;
  --a: #1769c5; --b: #0b8457; --c: #b4540a; --d: #7a3fb5; --e: #a12c4b;
  --good: #0b7a4b; --warn: #9a5b00; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11151b; --card: #191f28; --line: #2b333f; --grid: #252d38; --text: #e7ebf1; --dim: #9aa6b6;
    --a: #6cb0f8; --b: #4ecb96; --c: #f0a35a; --d: #c199f2; --e: #f08aa2;
    --good: #4ecb96; --warn: #f0b45a; --bad: #ff8a80;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 20px 24px 32px; background: var(--page); color: var(--text);
  font: 14px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums;
}
main, header, footer { max-width: 1280px; margin: 0 auto; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px; margin-bottom: 14px; }
h1 { font-size: 20px; font-weight: 650; margin: 0; }
h2 { font-size: 13px; font-weight: 600; margin: 0; }
h2 small { font-size: 12px; font-weight: 400; color: var(--dim); margin-left: 6px; }
.pill { font-weight: 600; color: var(--dim); }
.pill::before {
  content: ""; display: inline-block; width: 9px; height: 9px; border-radius: 50%;
  background: currentColor; margin-right: 7px;
}
.pill.good { color: var(--good); } .pill.warn { color: var(--warn); } .pill.bad { color: var(--bad); }
.about { color: var(--dim); margin-left: auto; }
.alarm {
  border: 1px solid var(--bad); border-left-width: 5px; border-radius: 8px; background: var(--card);
  padding: 10px 14px; margin: 0 0 14px;
}
.tiles { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 12px; margin: 0 0 12px; }
.tiles div, section, details { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.tiles div { padding: 10px 14px; }
.tiles dt { color: var(--dim); font-size: 12px; }
.tiles dd { margin: 0; font-size: 24px; font-weight: 600; line-height: 1.25; white-space: nowrap; }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px; }
section { padding: 12px 14px 8px; min-width: 0; }
.top { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 2px 16px; min-height: 21px; }
.legend { display: flex; flex-wrap: wrap; gap: 0 14px; margin: 0; padding: 0; list-style: none; font-size: 12px; }
.legend li { white-space: nowrap; color: var(--dim); }
.legend b { color: var(--text); font-weight: 600; margin-left: 5px; }
.legend i { display: inline-block; width: 10px; height: 3px; border-radius: 2px; margin: 0 6px 3px 0; background: currentColor; }
.legend .a i { background: var(--a); } .legend .b i { background: var(--b); } .legend .c i { background: var(--c); }
.legend .d i { background: var(--d); } .legend .e i { background: var(--e); }
svg { display: block; width: 100%; height: 168px; margin-top: 4px; touch-action: pan-y; }
svg text { fill: var(--dim); font-size: 11px; }
svg .grid { stroke: var(--grid); } svg .base { stroke: var(--line); }
svg .cursor { stroke: var(--dim); stroke-dasharray: 3 3; }
svg .when { fill: var(--text); font-weight: 600; paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
svg .line { fill: none; stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
svg .area { stroke: none; opacity: 0.12; }
svg .line.a { stroke: var(--a); } svg .line.b { stroke: var(--b); } svg .line.c { stroke: var(--c); }
svg .line.d { stroke: var(--d); } svg .line.e { stroke: var(--e); } svg .area.a { fill: var(--a); }
.stale .charts svg, .stale .legend, .stale .tiles { opacity: 0.45; }
details { margin-top: 12px; padding: 10px 14px; }
summary { cursor: pointer; color: var(--dim); }
table { border-collapse: collapse; margin-top: 8px; width: 100%; max-width: 640px; }
th, td { text-align: right; padding: 3px 0 3px 14px; border-bottom: 1px solid var(--grid); font-weight: 400; }
th:first-child { text-align: left; padding-left: 0; }
thead th { color: var(--dim); }
[hidden] { display: none; }
@media (max-width: 860px) {
  body { padding: 14px 12px 24px; }
  .charts { grid-template-columns: minmax(0, 1fr); }
  .tiles { grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 8px; }
  .tiles dd { font-size: 20px; }
  .about { margin-left: 0; flex-basis: 100%; }
}
`;
