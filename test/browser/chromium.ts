import { existsSync } from "node:fs";

/** Where Debian and others put Chromium; the environment may say another place. */
const places = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The program of an installed Chromium; undefined if there is none, which is said. */
export function installedChromium(): string | undefined {
  const found = places.find((place) => place !== undefined && existsSync(place));
  if (found === undefined) {
    console.log(
      "browser tests: skipped, there is no Chromium. Install it (Debian: apt-get install chromium), or name it in CHROMIUM",
    );
  }
  return found;
}
