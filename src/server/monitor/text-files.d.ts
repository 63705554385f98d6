/** The files of the status page are imported as text; Bun's own types know `*.html` as something else. */
declare module "*/status-page.html" {
  const text: string;
  export default text;
}
declare module "*/status-page.css" {
  const text: string;
  export default text;
}
declare module "*/status-script.js" {
  const text: string;
  export default text;
}
declare module "*/status-chart.js" {
  const text: string;
  export default text;
}
