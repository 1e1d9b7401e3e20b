// SPDX-License-Identifier: Apache-2.0
// The door to the plotting library. It is loaded when the first plot is drawn, never at start.
import type { TopLevelSpec } from 'vega-lite';

export type PlotSpec = TopLevelSpec;

/** Look shared by all plots: white ground, readable sizes, colours that colour-blind people tell apart. */
export const PLOT_CONFIG = {
  background: 'white',
  font: 'DejaVu Sans, Helvetica, Arial, sans-serif',
  padding: 16,
  title: { anchor: 'start', fontSize: 15, subtitleFontSize: 11, subtitleColor: '#555555', offset: 12 },
  axis: { labelFontSize: 11, titleFontSize: 12, gridColor: '#e6e6e6', titlePadding: 8 },
  legend: { labelFontSize: 11, titleFontSize: 11, labelLimit: 400 },
  range: {
    category: [
      '#0072b2',
      '#d55e00',
      '#009e73',
      '#cc79a7',
      '#56b4e9',
      '#e69f00',
      '#444444',
      '#882255',
      '#999933',
      '#44aa99',
      '#332288',
      '#aa4499',
    ],
  },
  view: { stroke: '#bbbbbb' },
} as const;

/** Draws a Vega-Lite specification; resolves to the text of an SVG file. Needs no screen and no canvas. */
export async function renderVegaLiteToSvg(spec: PlotSpec): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  (vega as unknown as { resetSVGDefIds(): void }).resetSVGDefIds(); // clip paths are numbered by process; the same plot must be the same bytes
  const compiled = vegaLite.compile(spec, { config: PLOT_CONFIG as never });
  const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none', logLevel: vega.Error });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A page with plots in it and nothing to load from elsewhere: the drawings are inside. */
export async function renderVegaLiteToHtml(
  specs: PlotSpec | readonly PlotSpec[],
  page: { title: string; notes?: readonly string[] },
): Promise<string> {
  const list = Array.isArray(specs) ? (specs as readonly PlotSpec[]) : [specs as PlotSpec];
  const drawings: string[] = [];
  for (const spec of list) drawings.push(`<figure>\n${await renderVegaLiteToSvg(spec)}</figure>`);
  const notes = (page.notes ?? []).map((note) => `<p>${escapeHtml(note)}</p>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escapeHtml(page.title)}</title>
<style>body{font:15px/1.5 sans-serif;margin:2em auto;max-width:72em;padding:0 1em}figure{margin:1em 0}svg{max-width:100%;height:auto}</style>
</head>
<body>
<h1>${escapeHtml(page.title)}</h1>
${[...notes, ...drawings].join('\n')}
</body>
</html>
`;
}
