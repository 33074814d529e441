// The live stream of one tenant. A lost connection is told, and tried again until it is back.

const KINDS = ["request", "call", "callback", "violation", "clock", "scenario"];
const LONGEST_WAIT = 5000;

export class Stream {
	#wait = 500;
	#closed = false;

	/** `on.open(again)` when connected, `on.lost()` when not, `on.data(kind, data)` for each event. */
	constructor(path, on) {
		this.path = `${path}/events?kind=${KINDS}&brief=true`;
		this.on = on;
		this.#connect(false);
	}

	#connect(again) {
		if (this.#closed) return;
		const source = (this.source = new EventSource(this.path));
		source.onopen = () => {
			this.#wait = 500;
			this.on.open(again);
		};
		// The browser would try again by itself, but gives up for good on a reply that is not a stream.
		source.onerror = () => {
			source.close();
			if (this.#closed) return;
			this.on.lost();
			setTimeout(() => this.#connect(true), this.#wait);
			this.#wait = Math.min(LONGEST_WAIT, this.#wait * 2);
		};
		for (const kind of [...KINDS, "gap"]) source.addEventListener(kind, (event) => this.#closed || this.on.data(kind, JSON.parse(event.data)));
	}

	close() {
		this.#closed = true;
		this.source.close();
	}
}
