/*
 * Rooms of src, from the lowest to the highest: a room imports from itself and from those before it. A name with a slash is a
 * room within a room. Files of src itself: errors.ts is below all rooms, index.ts above.
 */
const rooms = [
  "files",
  "engine",
  "statistics",
  "data",
  "nn",
  "weights",
  "methods",
  "train",
  "evaluate",
  "detection/[^/]+\\.ts",
  "detection/structures",
  "detection/data",
  "detection/model",
  "detection/metric",
  "detection/train",
  "recipes",
  "runs",
  "paper",
  "display",
  "experiments/ablation",
  "experiments/mechanisms",
  "experiments/linear-evaluation",
  "experiments/transfer",
  "experiments/studies",
  "experiments/pytorch-parity",
  "experiments/paper-scale",
  "experiments/cost",
  "claims",
  "report",
  "verify",
  "cli",
];

const starting = (names) => `^src/(${names.join("|")})`;

module.exports = {
  forbidden: [
    ...rooms.slice(0, -1).map((room, at) => ({
      name: `from ${room} upward`,
      severity: "error",
      from: { path: starting([room]) },
      to: { path: starting([...rooms.slice(at + 1), "index"]) },
    })),
    {
      name: "errors stand alone",
      severity: "error",
      from: { path: "^src/errors\\.ts$" },
      to: { path: "^src/" },
    },
    {
      name: "no circle",
      severity: "error",
      from: { path: "^src/" },
      // Types are erased: they make no circle at run time.
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "rooms are listed",
      comment: "a new folder belongs into the list of rooms",
      severity: "error",
      from: { path: "^src/[^/]+/", pathNot: starting(rooms) },
      to: {},
    },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    // Also imports of types: a room that knows the types of a later one is no lower room.
    tsPreCompilationDeps: "specify",
  },
};
