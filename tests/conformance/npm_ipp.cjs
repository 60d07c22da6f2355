// Drives the npm package `ipp` as it is: node npm_ipp.cjs URI DOCUMENT prints one JSON object of what it saw.
const fs = require("fs");
const ipp = require("ipp");

process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0"; // the simulator signs its certificate itself
process.removeAllListeners("warning");

const [uri, file] = process.argv.slice(2);
const printer = new ipp.Printer(uri, { uri });

function ask(operation, group, data, more) {
    const message = { "operation-attributes-tag": { "requesting-user-name": "node", ...group }, ...more };
    if (data) message.data = data;
    return new Promise((resolve, reject) => printer.execute(operation, message, (error, answer) => (error ? reject(error) : resolve(answer))));
}

async function main() {
    const seen = {};
    const told = await ask("Get-Printer-Attributes", {});
    seen.printer = told["printer-attributes-tag"];
    seen.version = told.version;
    const job = { "job-name": "from node" };
    const validated = await ask("Validate-Job", { ...job, "document-format": "text/x-gcode" });
    const created = await ask("Create-Job", job, null, { "job-attributes-tag": { copies: 1 } });
    const id = created["job-attributes-tag"]["job-id"];
    const sent = await ask("Send-Document", { "job-id": id, "document-name": "part.gcode", "document-format": "text/x-gcode", "last-document": true },
        fs.readFileSync(file));
    for (let i = 0; i < 400; i++) {
        seen.job = (await ask("Get-Job-Attributes", { "job-id": id }))["job-attributes-tag"];
        if (["completed", "aborted", "canceled"].includes(seen.job["job-state"])) break;
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const jobs = await ask("Get-Jobs", { "which-jobs": "completed", "requested-attributes": ["job-id", "job-name"] });
    const wrong = await ask("Get-Job-Attributes", { "job-id": 9999 });
    seen.jobs = [].concat(jobs["job-attributes-tag"]);
    seen.status = [told, validated, created, sent, jobs, wrong].map((answer) => answer.statusCode);
    console.log(JSON.stringify(seen));
}

main().catch((error) => { console.error(error); process.exit(1); });
