// A tus receiver made of @tus/server and @tus/file-store: stores what is sent, and notes every
// request in requests.jsonl beside the uploads, one line when it begins and one when it ends.
//
//   node receiver.mjs <settings.json>
//   {"modules","folder","log","host","port","path","bytesPerSecond": number|null, "location": url|null}

import { appendFileSync, readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { Transform, pipeline } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const load = (name) => import(pathToFileURL(`${settings.modules}/${name}/dist/index.js`).href);
const { Server } = await load('@tus/server');
const { FileStore } = await load('@tus/file-store');

const server = new Server({
  path: settings.path,
  datastore: new FileStore({ directory: settings.folder }),
  ...(settings.location && { generateUrl: (_, { id }) => `${settings.location}/${id}` }),
});

const note = (line) => appendFileSync(settings.log, `${JSON.stringify(line)}\n`);
let counter = 0;

const receiver = http.createServer((request, response) => {
  const number = `${process.pid}-${counter++}`;
  const { method, url, headers } = request;
  let received = 0;
  const push = request.push.bind(request);
  request.push = (chunk) => {
    received += chunk?.length ?? 0;
    return push(chunk);
  };
  note({ number, method, url, headers });
  response.on('close', () => note({ number, received, status: response.statusCode }));
  server.handle(request, response);
});

// In front of it all, since @tus/server reads as fast as it can: a slow line.
function slowLine(client) {
  const onward = net.connect(receiver.address().port, settings.host);
  const delay = new Transform({
    async transform(chunk, _, done) {
      await sleep((1000 * chunk.length) / settings.bytesPerSecond);
      done(null, chunk);
    },
  });
  pipeline(client, delay, onward, () => onward.destroy());
  pipeline(onward, client, () => client.destroy());
}

if (settings.bytesPerSecond) {
  receiver.listen(0, settings.host, () =>
    net.createServer(slowLine).listen(settings.port, settings.host));
} else {
  receiver.listen(settings.port, settings.host);
}
