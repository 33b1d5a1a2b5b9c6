import { describe, expect, it } from "vitest";
import { heatMapBundle, type HeatMap } from "../../src/display/heat-map";

const map: HeatMap = {
  title: "accuracy & more",
  xTitle: "epochs",
  yTitle: "m",
  x: ["1", "2"],
  y: ["0", "0.9"],
  values: [
    [10, 20],
    [30, undefined],
  ],
  texts: [
    ["10", "20 *"],
    ["30", "–"],
  ],
};

describe("heatMapBundle", () => {
  const bundle = heatMapBundle(map);

  it("gives Plotly the numbers, with null where there is none, and the first row on top", () => {
    expect(bundle["application/vnd.plotly.v1+json"]).toMatchObject({
      data: [
        {
          type: "heatmap",
          x: ["1", "2"],
          y: ["0", "0.9"],
          z: [
            [10, 20],
            [30, null],
          ],
          text: map.texts,
        },
      ],
      layout: { yaxis: { autorange: "reversed" } },
    });
  });

  it("colors the lowest and the highest number with the ends of the scale, and what is missing gray", () => {
    const svg = String(bundle["image/svg+xml"]);
    const colors = [...svg.matchAll(/fill="(rgb[^"]*|#eee)" stroke/g)].map(([, color]) => color);
    expect(colors).toEqual(["rgb(222,235,247)", "rgb(144,191,223)", "rgb(66,146,198)", "#eee"]);
    expect(svg).toContain("accuracy &amp; more");
    expect(svg).toContain("20 *</text>");
  });

  it("tells every field in text", () => {
    expect(bundle["text/plain"]).toBe(
      "accuracy & more\nm 0: epochs 1: 10, epochs 2: 20 *\nm 0.9: epochs 1: 30, epochs 2: –",
    );
  });

  it("draws numbers that are all equal", () => {
    const svg = String(heatMapBundle({ ...map, values: map.values.map((row) => row.map(() => 5)) })["image/svg+xml"]);
    expect(svg).not.toContain("NaN");
  });
});
