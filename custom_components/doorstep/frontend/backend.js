/** What the panel asks Home Assistant: Doorstep's websocket commands, and signed paths. */

const SIGNED_FOR_SECONDS = 3600;

export class Backend {
  #hass;
  #signed = new Map();

  /** `hass` returns Home Assistant's current front-end object. */
  constructor(hass) {
    this.#hass = hass;
  }

  #call(type, values) {
    return this.#hass().callWS({ type: `doorstep/${type}`, ...values });
  }

  /** Call `onStep` with each step of something long; resolves to the end of it. A lost connection ends it too. */
  #steps(type, values, onStep) {
    const ask = { type: `doorstep/${type}`, ...values };
    return this.#hass().connection.subscribeMessage(onStep, ask, { resubscribe: false });
  }

  /** Call `onSnapshot` with the whole state, now and after each change; resolves to the end of it. */
  subscribe = (onSnapshot) =>
    this.#hass().connection.subscribeMessage(onSnapshot, { type: "doorstep/subscribe" });

  request = (handle) => this.#call("request", { handle });
  draft = (handle) => this.#call("release/draft", { handle });
  approve = (handle, { release, digest }, watched) =>
    this.#call("release/approve", { handle, release, digest, watched });
  undo = (release) => this.#call("release/undo", { release });
  stop = (release) => this.#call("release/stop", { release });
  retry = (release) => this.#call("release/retry", { release });
  decline = (handle) => this.#call("request/decline", { handle });
  undoDecline = (handle) => this.#call("request/undo_decline", { handle });
  confirmAgency = (agency, digest) => this.#call("agency/confirm", { agency, statement_sha256: digest });
  checkAgency = (agency) => this.#call("agency/check", { agency });
  ledger = (limit, before) => this.#call("ledger/list", before === undefined ? { limit } : { limit, before });
  verifyLedger = () => this.#call("ledger/verify");
  clipDays = (doorbell) => this.#call("clips/days", { doorbell });
  clipHours = (day, doorbell) => this.#call("clips/hours", { day, doorbell });
  clips = (wanted) => this.#call("clips/list", wanted);
  stills = (clip) => this.#call("clips/stills", { clip });
  binned = () => this.#call("clips/binned");
  deleteClips = (clips, confirmed) => this.#call("clips/delete", { clips, confirmed });
  restoreClips = (clips) => this.#call("clips/restore", { clips });
  holdClip = (clip) => this.#call("clips/hold", { clip });
  letGo = (clip) => this.#call("clips/let_go", { clip });
  rescan = () => this.#call("clips/rescan");
  verifyClips = (onStep, clip) => this.#steps("clips/verify", { clip }, onStep);
  exportClips = (onStep, range) => this.#steps("clips/export", range, onStep);

  /**
   * The signed form of `path`; undefined until it is there, null where signing failed. `onReady`
   * is called when that changes. It is not renewed by itself: a new address restarts a video.
   */
  signed(path, onReady) {
    if (!this.#signed.has(path)) this.sign(path).then(onReady);
    return this.#signed.get(path);
  }

  /** Sign `path` anew. */
  async sign(path) {
    // What is signed twice in a second for as long is the same address, and that is not loaded again.
    const expires = SIGNED_FOR_SECONDS - (this.#signed.has(path) ? 1 : 0);
    this.#signed.set(path, undefined);
    this.#signed.set(path, await this.fresh(path, expires));
  }

  /** A new signed form of `path`, for one use; null where signing failed. */
  async fresh(path, expires = SIGNED_FOR_SECONDS) {
    const ask = { type: "auth/sign_path", path, expires };
    const answer = await this.#hass().callWS(ask).catch(() => undefined);
    return answer?.path ?? null;
  }
}
