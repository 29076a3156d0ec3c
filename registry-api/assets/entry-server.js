// Requests to the registry with the session of the page: every unsafe one carries its token.

export class Server {
  constructor(csrf) {
    this.csrf = csrf;
  }

  /** The status, the ETag and the JSON of an answer. Throws only when no answer came. */
  async send(method, path, body, headers = {}) {
    const sent = this.csrf;
    const answer = await this.once(method, path, body, headers);
    // Signed in anew in another tab: the session is another, and so is its token.
    if (answer.status === 403 && answer.body?.code === "csrf_token_missing" && (await this.renew(sent))) {
      return this.once(method, path, body, headers);
    }
    return answer;
  }

  async once(method, path, body, headers) {
    const response = await fetch(path, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      headers: { accept: "application/json", "x-csrf-token": this.csrf, ...(body ? { "content-type": "application/json" } : {}), ...headers },
      body: body && JSON.stringify(body),
    });
    const json = await response.json().catch(() => null);
    return { ok: response.ok, status: response.status, etag: response.headers.get("etag"), body: json };
  }

  /** Reads the token of the present session from a page; false when there is none but the one that was `sent`. */
  async renew(sent) {
    if (this.csrf !== sent) return true;
    const response = await fetch("/cases/new", { credentials: "same-origin", headers: { accept: "text/html" } });
    if (!response.ok) return false;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const token = page.getElementById("entry")?.dataset.csrf;
    if (!token || token === sent) return false;
    this.csrf = token;
    return true;
  }
}
