// What the service answers, as far as a page needs it; /openapi.json has all of it.

export type Task = "ocr" | "structure" | "extraction";

export interface Line {
  text: string;
  confidence: number;
  /** Corners in pixels of the upright page, clockwise from the text's own top left. */
  quad: [number, number][];
}

export interface Page {
  number: number;
  width: number;
  height: number;
  text: string;
  lines: Line[];
  /** Present when this page could not be read; the others were. */
  error?: { code: string; message: string; status: number };
}

export interface ReadResult {
  request_id: string;
  pages_total: number;
  pages_processed: number;
  text: string;
  pages: Page[];
}

/** RFC 9457, with the service's stable `code`. */
export interface Problem {
  title: string;
  status: number;
  detail?: string;
  code: string;
  request_id: string;
  errors?: { field: string; message: string }[];
}

export type StreamEvent =
  | { event: "document"; data: { request_id: string; pages_total: number } }
  | { event: "page"; id: number; data: Page }
  | { event: "end"; data: { pages_processed: number; pages_failed: number[] } }
  | { event: "error"; data: Problem };

export interface Job {
  id: string;
  status: "queued" | "running" | "partial" | "done" | "failed" | "cancelled" | "expired";
  pages_total: number;
  pages_processed: number;
  files: { index: number; name: string; status: string; results: Record<string, string> }[];
}
