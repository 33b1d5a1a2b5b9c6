import { DataFrame } from "danfojs-node";
import { afterEach, describe, expect, it, vi } from "vitest";
import { InputError } from "../../src/errors";
import { chartBundle, drawFigure, plotlyFigure } from "../../src/display/chart";
import { liveCurve } from "../../src/display/live-curve";
import { showNotes } from "../../src/display/notes";
import { svgChart } from "../../src/display/svg-chart";
import { showTable, tableBundle } from "../../src/display/table";

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("showTable", () => {
  it("escapes what HTML would read as a tag, and leaves missing values empty", () => {
    const bundle = tableBundle([
      { K: 64, claim: "m < 1 & K > 0" },
      { K: null, claim: undefined },
    ]);
    expect(bundle["text/html"]).toContain('<td>64</td><td style="text-align:left">m &lt; 1 &amp; K &gt; 0</td>');
    expect(bundle["text/html"]).toContain('<tr><td></td><td style="text-align:left"></td></tr>');
    expect(bundle["text/plain"]).toContain("│ 64 │ m < 1 & K > 0 │");
  });

  it("has words on the left and numbers on the right, and breaks no interval into two lines", () => {
    const { "text/html": html } = tableBundle([
      { row: "K = 64", kNN: "55.2 [53.1, 57.4]", here: "−2.0 [−4.9, +1.0] 5 seeds" },
      { row: "pixels", kNN: "–", here: "" },
    ]);
    expect(html).toContain('<th style="text-align:left">row</th><th>kNN</th><th style="text-align:left">here</th>');
    expect(html).toContain("<td>55.2 [53.1,\u00a057.4]</td>");
    expect(html).toContain("−2.0 [−4.9,\u00a0+1.0] 5 seeds");
    // Of many, none would fit into the page.
    const many = Object.fromEntries(Array.from({ length: 7 }, (_, column) => [`AP ${column}`, "1.0 [0.5, 1.5]"]));
    expect(tableBundle([many])["text/html"]).toContain("<td>1.0 [0.5, 1.5]</td>");
  });

  it("shows a danfojs DataFrame as it shows rows", () => {
    const rows = [
      { K: 64, kNN: 30.5 },
      { K: 128, kNN: 31.25 },
    ];
    expect(tableBundle(new DataFrame(rows))).toEqual(tableBundle(rows));
  });

  it("refuses no rows, and a row with another column", () => {
    expect(() => tableBundle([])).toThrow(InputError);
    expect(() => tableBundle([{ K: 64 }, { k: 128 }])).toThrow("columns of the first (K), row 1 has k");
  });

  it("prints the text outside a notebook", () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    showTable([{ K: 64 }], { caption: "Queue size" });
    expect(log.mock.calls[0]![0]).toMatch(/^Queue size\n/);
  });
});

describe("showNotes", () => {
  it("prints each sentence outside a notebook, and nothing for none", () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    showNotes([]);
    showNotes(["One.", "Two."]);
    expect(log.mock.calls).toEqual([["One.\nTwo."]]);
  });
});

describe("a chart", () => {
  const figure = {
    data: [
      { name: "MoCo", x: [1, 2, 4], y: [0, 10, 5], error_y: { array: [1, 1, 1], arrayminus: [2, 2, 2] } },
      { name: "random", type: "bar" as const, x: [1, 2, 4], y: [1, 2, 3], marker: { color: "gray" } },
    ],
    layout: { title: { text: "kNN" }, xaxis: { title: { text: "K" }, type: "log" } },
  };

  it("marks a point that is alone on its line", () => {
    const trace = { mode: "lines", x: [1], y: [2] };
    const { data } = plotlyFigure({ data: [trace, { ...trace, x: [1, 2], y: [2, 3] }] });
    expect(data.map((one) => (one as typeof trace).mode)).toEqual(["markers", "lines"]);
  });

  it("comes as the figure for Plotly, as SVG and as text", () => {
    const bundle = chartBundle(figure);
    expect(bundle["application/vnd.plotly.v1+json"]).toMatchObject({
      data: figure.data,
      layout: { title: { text: "kNN" }, xaxis: { title: { text: "K" }, type: "log" } },
    });
    expect(bundle["text/plain"]).toBe("kNN\nMoCo  1: 0, 2: 10, 4: 5\nrandom  1: 1, 2: 2, 4: 3");
    const svg = bundle["image/svg+xml"] as string;
    expect(svg.match(/<polyline/g)).toHaveLength(1);
    expect(svg.match(/stroke="#333"/g)).toHaveLength(3);
    expect(svg.match(/<rect [^>]*fill="gray"/g)).toHaveLength(4); // three bars, one mark in the legend
    for (const label of [">kNN<", ">K<", ">MoCo<", ">random<", ">4<"]) {
      expect(svg).toContain(label);
    }
  });

  it("tells more curves apart than there are colors, and draws dashed what Plotly draws dashed", () => {
    const curve = (name: string, more = {}) => ({ name, mode: "lines", x: [1, 2], y: [1, 2], ...more });
    const svg = drawFigure({ data: Array.from({ length: 9 }, (_, index) => curve(String(index))) }).svg;
    const lines = svg.match(/<polyline[^>]*>/g)!.map((line) => line.replace(/points="[^"]*"/, ""));
    expect(new Set(lines).size).toBe(9);
    const dashed = drawFigure({ data: [curve("a"), curve("b", { line: { dash: "dot", color: "teal" } })] }).svg;
    expect(dashed.match(/stroke="teal"[^>]*stroke-dasharray/g)).toHaveLength(1);
  });

  it("leaves out labels of an axis that would cover one another", () => {
    const x = ["end-to-end", "memory bank", "MoCo", "SimCLR"];
    const wide = drawFigure({ data: [{ x, y: [1, 2, 3, 4] }] }).svg;
    for (const label of x) expect(wide).toContain(`>${label}<`);
    const log = { xaxis: { type: "log" } };
    const near = drawFigure({ data: [{ x: [126, 127, 4096], y: [1, 2, 3] }], layout: log }).svg;
    expect(near).toContain(">126<");
    expect(near).not.toContain(">127<");
  });

  it("puts axes with a domain side by side", () => {
    const beside = { xaxis2: { domain: [0.6, 1] }, yaxis2: { title: { text: "kNN" } } };
    const { layout } = plotlyFigure({ data: [], layout: beside });
    expect(layout).toMatchObject({ xaxis2: { anchor: "y2" }, yaxis2: { anchor: "x2" } });
    expect(JSON.stringify(layout)).not.toContain("overlaying");
  });

  it("has the names of curves below it, also in many rows, and is no wider than the page", () => {
    const names = Array.from({ length: 12 }, (_, index) => `a curve with a long name, number ${index}`);
    const { svg, width, height } = svgChart(names.map((name) => ({ name, x: [0, 1], y: [0, 1] })));
    const placed = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)"[^>]*>a curve/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ]);
    const lowest = Number(/<text [^>]*y="([\d.]+)"[^>]*>0<\/text>/.exec(svg)![1]);
    expect(placed).toHaveLength(12);
    for (const [x, y] of placed) {
      expect(x).toBeLessThan(width);
      expect(y).toBeGreaterThan(lowest);
      expect(y).toBeLessThan(height);
    }
    expect(svg).toContain('style="max-width:100%"');
    const { layout } = chartBundle(figure)["application/vnd.plotly.v1+json"] as {
      layout: { width?: number };
    };
    expect(layout).toMatchObject({
      autosize: true,
      legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom" },
    });
    expect(layout.width).toBeUndefined();
  });

  it("draws what has second axes on axes of its own", () => {
    const published = {
      name: "published",
      x: [256, 65536],
      y: [54.7, 60.6],
      xaxis: "x2" as const,
      yaxis: "y2" as const,
    };
    const layout = {
      ...figure.layout,
      xaxis2: { title: { text: "paper's K" }, type: "log" },
      yaxis2: { title: { text: "ImageNet" } },
    };
    const bundle = chartBundle({ data: [...figure.data, published], layout });
    expect(bundle["application/vnd.plotly.v1+json"]).toMatchObject({
      layout: { xaxis2: { overlaying: "x", side: "top", type: "log" }, yaxis2: { overlaying: "y", side: "right" } },
    });
    const svg = bundle["image/svg+xml"] as string;
    for (const label of [">paper's K<", ">ImageNet<", ">65536<", ">K<"]) expect(svg).toContain(label);
    expect(svg.match(/<svg/g)).toHaveLength(3); // two charts in one image
  });

  it("spaces a logarithmic axis by ratios", () => {
    const svg = svgChart([{ name: "", x: [1, 10, 100], y: [0, 1, 2] }], { logX: true }).svg;
    const [a, b, c] = polylineOf(svg).map(([x]) => x!);
    expect(b! - a!).toBeCloseTo(c! - b!, 6);
  });

  it("spaces a logarithmic axis of y by ratios, with marks at powers of ten, and leaves out what is not positive", () => {
    const layout = { yaxis: { type: "log" } };
    const { "image/svg+xml": svg } = chartBundle({ data: [{ x: [0, 1, 2, 3], y: [0, 0.01, 0.1, 1] }], layout });
    const [a, b, c, ...none] = polylineOf(svg as string).map(([, y]) => y!);
    expect(none).toEqual([]);
    expect(a! - b!).toBeCloseTo(b! - c!, 6);
    for (const mark of ["0.01", "0.1", "1"]) expect(svg).toContain(`>${mark}</text>`);
  });

  it("draws a line whole where its figure says solid, however many curves there are", () => {
    const data = Array.from({ length: 8 }, (_, at) => ({
      name: String(at),
      x: [0, 1],
      y: [at, at],
      line: { dash: "solid" },
    }));
    expect(chartBundle({ data })["image/svg+xml"]).not.toContain("stroke-dasharray");
  });

  it("draws larger values higher, and leaves out points that are not finite", () => {
    const points = polylineOf(svgChart([{ name: "", x: [0, 1, 2, 3], y: [1, NaN, 2, 3] }]).svg);
    expect(points).toHaveLength(3);
    expect(points[0]![1]).toBeGreaterThan(points[1]![1]!);
    expect(points[1]![1]).toBeGreaterThan(points[2]![1]!);
  });

  it("is drawn for one point and for none", () => {
    expect(svgChart([{ name: "", x: [5], y: [1] }]).svg).toMatch(/<circle cx="\d[\d.]*" cy="\d[\d.]*"/);
    expect(svgChart([]).svg).not.toContain("NaN");
  });
});

describe("a live curve outside a notebook", () => {
  it("prints at most one line in five seconds, and the last point at the end", () => {
    vi.useFakeTimers();
    const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
    const curve = liveCurve("m = 0.99");
    for (let step = 0; step <= 100; step++) {
      curve.add({ step, values: step === 0 ? { loss: 5, kNN: 20 } : { loss: 5 - step / 100 } });
      vi.advanceTimersByTime(100);
    }
    curve.finish();
    curve.finish();
    expect(log.mock.calls.map(([line]) => line as string)).toEqual([
      "m = 0.99  step 0  loss 5.000  kNN 20.00",
      "m = 0.99  step 50  loss 4.500  kNN 20.00",
      "m = 0.99  step 100  loss 4.000  kNN 20.00",
    ]);
  });
});

function polylineOf(svg: string): number[][] {
  return /<polyline points="([^"]+)"/
    .exec(svg)![1]!
    .split(" ")
    .map((point) => point.split(",").map(Number));
}
