// The other way: the browser sends the file to this server, which holds the API key and asks the service.
// Hosts of such routes bound the size of a body and the seconds of an answer, far below the service's own limits: this way
// is for single pages, long documents go the direct one.

export const runtime = "nodejs";
export const dynamic = "force-dynamic";

const PASSED_ON = ["content-type", "retry-after", "x-request-id"] as const;

export async function POST(request: Request): Promise<Response> {
  const url = process.env.OCR_URL;
  const key = process.env.OCR_API_KEY;
  if (!url || !key) return Response.json({ title: "OCR_URL or OCR_API_KEY is not set" }, { status: 500 });
  // Who may use your key is for you to decide here: check the session of your own user first.
  const form = await request.formData();
  const file = form.get("file");
  if (!(file instanceof File)) return Response.json({ title: "No file in the field `file`" }, { status: 400 });
  // A new form: what a stranger puts beside the file does not reach the service under your key.
  const forwarded = new FormData();
  forwarded.append("file", file, file.name);
  const answer = await fetch(`${url}/v1/ocr`, {
    method: "POST",
    headers: { "x-api-key": key, Accept: "application/json" },
    body: forwarded,
    signal: request.signal,
  });
  const headers = new Headers();
  for (const name of PASSED_ON) {
    const value = answer.headers.get(name);
    if (value) headers.set(name, value);
  }
  // Status and problem document are handed through, so that the page's code is the same on both ways.
  return new Response(answer.body, { status: answer.status, headers });
}
