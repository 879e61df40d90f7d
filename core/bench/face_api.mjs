// face-api in Node, `node face_api.mjs ssd|tiny FOLDER PACKAGES`: speaks as peer_side.py does.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";

const [, , detector, folder, packages] = process.argv;
const load = createRequire(path.join(packages, "face_api.mjs"));
const inside = (...parts) => path.join(packages, "node_modules", ...parts) + path.sep;

const tf = load("@tensorflow/tfjs");
load("@tensorflow/tfjs-backend-wasm").setWasmPaths(inside("@tensorflow/tfjs-backend-wasm/dist"));
await tf.setBackend("wasm");
await tf.ready();

const faceapi = load("@vladmandic/face-api/dist/face-api.node-wasm.js");
const sharp = load("sharp");
sharp.concurrency(1);
const { nets } = faceapi;
const finder = detector === "tiny" ? nets.tinyFaceDetector : nets.ssdMobilenetv1;
for (const net of [finder, nets.faceExpressionNet]) {
  await net.loadFromDisk(inside("@vladmandic/face-api/model"));
}
const options = detector === "tiny"
  ? new faceapi.TinyFaceDetectorOptions() : new faceapi.SsdMobilenetv1Options();
const names = fs.readdirSync(folder).filter((name) => name.endsWith(".jpg")).sort();

async function boxesOf(name) {
  const { data, info } = await sharp(path.join(folder, name))
    .removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const picture = tf.tensor3d(new Uint8Array(data), [info.height, info.width, 3], "int32");
  const faces = await faceapi.detectAllFaces(picture, options).withFaceExpressions();
  tf.dispose(picture);
  return faces.map(({ detection: { box } }) =>
    [box.left, box.top, box.width, box.height].map(Math.round));
}

async function answer() {
  const boxes = [];
  for (const name of names) boxes.push(await boxesOf(name));
  return boxes;
}

const say = (values) => process.stdout.write(`${JSON.stringify(values)}\n`);
const how = detector === "tiny" ? "its tiny detector" : "its default detector";
const tool = `face-api ${faceapi.version} (${how}, WebAssembly)`;
say({ tool, boxes: await answer() });
for await (const _ of readline.createInterface({ input: process.stdin })) {
  const started = performance.now();
  const worked = process.cpuUsage();
  await answer();
  const { user, system } = process.cpuUsage(worked);
  say({ seconds: (performance.now() - started) / 1000, processor: (user + system) / 1e6 });
}
