import { DOMParser, type Element, type Node } from "@xmldom/xmldom";
import { fault, type Finding } from "./finding";

/**
 * Crawls a report's page: every number must stand in a link to a run or in an element that names its source, and every link
 * must lead to something on the page.
 *
 * @param html - of the page; what is looked at is its `main`
 */
export function checkPage(html: string): Finding[] {
  const text = /<main>[^]*<\/main>/.exec(html)?.[0];
  if (text === undefined) return [fault("the report", "it has no main part")];
  const main = new DOMParser({ onError: () => undefined }).parseFromString(text, "text/xml").documentElement!;
  const ids = new Set<string>();
  const findings: Finding[] = [];
  const links: string[] = [];
  const visit = (node: Node, covered: boolean): void => {
    if (node.nodeType === node.TEXT_NODE) {
      const content = (node.nodeValue ?? "").trim().replace(/\s+/g, " ");
      if (!covered && /\d/.test(content)) {
        findings.push(fault("the report", `"${content.slice(0, 80)}" has a number without a run or a source`));
      }
      return;
    }
    if (node.nodeType !== node.ELEMENT_NODE) return;
    const element = node as Element;
    const id = element.getAttribute("id");
    if (id !== null && id !== "") {
      if (ids.has(id)) findings.push(fault("the report", `the id ${id} stands twice`));
      ids.add(id);
    }
    const href = element.tagName === "a" ? element.getAttribute("href") : null;
    if (href !== null) links.push(href);
    const here = covered || element.hasAttribute("data-source") || href !== null;
    for (let child = element.firstChild; child !== null; child = child.nextSibling) visit(child, here);
  };
  visit(main, false);
  const dead = [...new Set(links)].filter((href) => !href.startsWith("#") || !ids.has(href.slice(1)));
  return [...findings, ...dead.map((href) => fault("the report", `the link ${href} leads nowhere`))];
}
