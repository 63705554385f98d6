/** The status page's files are imported as text. Bun's types lack `*.css` and `*.js`, and type `*.html` differently. */
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
