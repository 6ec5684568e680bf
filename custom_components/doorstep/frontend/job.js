/** Something of the back end that takes a while: it tells its steps and can be stopped. */

export class Job {
  running = false;
  error;
  step;
  asked;
  #turn = 0;
  #ending;

  constructor(desk) {
    this.desk = desk;
  }

  /** Begin anew: `start` is called with a listener for the steps and resolves to the end of it; `asked` is what for. */
  async run(start, asked) {
    this.stop();
    this.asked = asked;
    const turn = this.#turn;
    this.running = true;
    this.error = this.step = undefined;
    this.desk.update();
    try {
      this.#ending = start((step) => turn === this.#turn && this.#told(step));
      await this.#ending;
    } catch (error) {
      if (turn === this.#turn) this.#fail(this.desk.words.error(error));
    }
  }

  #told(step) {
    this.step = step;
    if (step.error) this.#fail(step.error);
    else if (step.finished || step.path) this.stop();
    this.desk.update();
  }

  #fail(sentence) {
    this.stop();
    this.error = sentence;
    this.desk.update();
  }

  /** End it; what it told so far stays. */
  stop() {
    this.#turn += 1;
    this.running = false;
    // it may have ended by itself, or with the connection
    this.#ending?.then((end) => end?.()).catch(() => undefined);
    this.#ending = undefined;
  }

  /** End it where the connection is gone: the back end has stopped too. */
  look() {
    if (this.running && !this.desk.online) this.#fail(this.desk.words.t("panel_job_lost"));
    return this;
  }

  /** Forget how it went. */
  clear() {
    this.stop();
    this.error = this.step = undefined;
    this.desk.update();
  }
}
