// Founds the replica set of compose.yaml, once, and waits until it has a primary. Run by mongosh on mongo1.
// https://www.mongodb.com/docs/v8.0/reference/method/rs.initiate/

const NAME = "tsunagi";
const MEMBERS = ["mongo1:27017", "mongo2:27017", "mongo3:27017"];
const PATIENCE_SECONDS = 60;

try {
  rs.status();
  print("The replica set exists already");
} catch (failure) {
  if (failure.codeName !== "NotYetInitialized") throw failure;
  rs.initiate({ _id: NAME, members: MEMBERS.map((host, index) => ({ _id: index, host })) });
  print("The replica set has been founded");
}

const end = Date.now() + PATIENCE_SECONDS * 1000;
while (!db.hello().primary) {
  if (Date.now() > end) {
    print(`No primary within ${PATIENCE_SECONDS} s`);
    quit(1);
  }
  sleep(500);
}
print(`The primary is ${db.hello().primary}`);
