//! The real program on a disk that fills up, that does not sync, that cannot be written.
//!
//! A small disk is mounted where only the program sees it: in a mount namespace of its own. Where that is not allowed
//! (it takes root), these tests say so and pass.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nuncio::clock::Clock;
use nuncio::sandbox::discord::Fault;
use nuncio::secret::Secret;
use nuncio::signature;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::harness::{SECRET, within};
use crate::recovery::{Program, Stage, in_folder, numbers, send};

/// Whether `command` can do what is asked of it here.
fn can(command: &str, args: &[&str], why: &str) -> bool {
    let tried =
        std::process::Command::new(command).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let can = tried.is_ok_and(|status| status.success());
    if !can {
        println!("skipped: {why}");
    }
    can
}

fn can_mount() -> bool {
    can(
        "unshare",
        &["-m", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"],
        "a disk of its own takes root and the right to mount",
    )
}

/// Starts nuncio in the folder of `stage`, after `mount` was done where only it sees it.
async fn start_behind(stage: &Stage, mount: &str) -> Program {
    Program::of(behind(stage, mount)).await
}

fn behind(stage: &Stage, mount: &str) -> Command {
    let mut command = Command::new("unshare");
    let script = format!("PATH=/usr/sbin:/usr/bin:/sbin:/bin; mkdir -p data && {mount} && exec \"$0\"");
    command.args(["-m", "sh", "-c", &script, env!("CARGO_BIN_EXE_nuncio")]);
    in_folder(command, stage.folder.path())
}

/// A path in the stage's folder as the program sees it.
fn seen_by(program: &Program, stage: &Stage, path: &str) -> PathBuf {
    let root = format!("/proc/{}/root", program.child.id().unwrap());
    Path::new(&root).join(stage.folder.path().strip_prefix("/").unwrap()).join(path)
}

/// Writes a file until there is no room.
fn fill(path: &Path) {
    let mut file = std::fs::File::create(path).unwrap();
    let block = vec![0; 64 * 1024];
    while file.write_all(&block).is_ok() {}
    // The last corner, too.
    while file.write_all(&[0; 512]).is_ok() {}
}

/// XTSystems sends event `number` with 20 kB beside it: the status, and `Retry-After`.
async fn post(program: &Program, number: usize) -> (u16, Option<String>) {
    let now = Clock::system().now().as_secs().to_string();
    let body = json!({
        "event_type": "printer.jammed", "data": {"number": number}, "timestamp": 1_705_314_600,
        "padding": "x".repeat(20_000),
    })
    .to_string();
    let signature = signature::sign(&Secret::new(SECRET), &[now.as_bytes(), body.as_bytes()]);
    let request = crate::harness::http()
        .post(&program.address)
        .header("content-type", "application/json")
        .header("x-xtsystems-timestamp", now)
        .header("x-xtsystems-signature", signature)
        .body(body);
    let answer = request.send().await.unwrap();
    let retry = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), retry)
}

async fn health(program: &Program) -> Value {
    let url = program.address.replace("/webhooks/xtsystems", "/health");
    let answer = reqwest::get(url).await.unwrap();
    assert_eq!(answer.status(), 200);
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

// F-1
#[tokio::test]
async fn a_full_disk_is_answered_503_and_heals_when_there_is_room() {
    if !can_mount() {
        return;
    }
    let stage = Stage::set().await;
    let program = start_behind(&stage, "mount -t tmpfs -o size=8m tmpfs data").await;
    let mut accepted = Vec::new();
    assert_eq!(post(&program, 0).await.0, 200);
    accepted.push(0);
    stage.arrived(1).await;
    // Some that are stored wait for Discord when the disk is full.
    stage.discord.faults().next_on("/messages", 3, Fault::status(503));

    let balloon = seen_by(&program, &stage, "data/balloon");
    fill(&balloon);
    // The log has room of its own for a while: what is answered 200 then is stored.
    let mut number = 1;
    let refused = loop {
        let began = Instant::now();
        let (status, retry) = post(&program, number).await;
        if status != 200 {
            assert_eq!(status, 503);
            assert!(retry.unwrap().parse::<u32>().unwrap() > 0);
            break began.elapsed();
        }
        accepted.push(number as u64);
        number += 1;
        assert!(number < 1000, "the disk is full: this cannot go on");
    };
    let mut refusals = vec![refused];
    for more in number..number + 20 {
        let began = Instant::now();
        assert_eq!(post(&program, more).await.0, 503, "never a false 200");
        refusals.push(began.elapsed());
    }
    // A machine that has other things to do may need longer for some.
    assert!(refusals.iter().any(|took| *took < Duration::from_secs(1)), "{refusals:?}");
    let told = health(&program).await;
    assert_eq!((told["status"].as_str(), told["database"].as_str()), (Some("degraded"), Some("failed")));
    assert!(told["problems"].to_string().contains("the disk is full"), "{told}");

    std::fs::remove_file(&balloon).unwrap();
    let began = Instant::now();
    within("the disk to be used again", async { while health(&program).await["database"] != "ok" {} }).await;
    let healed = began.elapsed();
    println!("disk full: {} accepted before, 503 after {refused:?}, healed after {healed:?}", accepted.len());
    assert!(healed < Duration::from_secs(5), "{healed:?}");
    for more in number..number + 20 {
        assert_eq!(post(&program, more).await.0, 200);
        accepted.push(more as u64);
    }
    stage.arrived(accepted.len()).await;
    assert!(program.terminate().await.success());
    assert_eq!(numbers(&stage), accepted, "all that was acknowledged, each once, and nothing else");
}

// F-2
#[tokio::test]
async fn a_sync_that_fails_ends_the_process_and_nothing_is_lost() {
    if !can(
        "strace",
        &["-f", "-e", "trace=none", "true"],
        "making a sync fail takes strace and the right to use it",
    ) {
        return;
    }
    let stage = Stage::set().await;
    let program = stage.start().await;
    assert_eq!(send(&program.platform(), 1).await, Some(200));
    stage.arrived(1).await;
    // Nothing but the failing commit is to be synced while Discord is away.
    let mut strace = Command::new("strace")
        .args(["-f", "-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=1"])
        .args(["-o", "/dev/null", "-p", &program.child.id().unwrap().to_string()])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(strace.stderr.take().unwrap()).lines();
    within("strace to hold the program", async {
        while !lines.next_line().await.unwrap().expect("strace attaches").contains("attached") {}
    })
    .await;
    let answered = send(&program.platform(), 2).await;
    assert!(matches!(answered, Some(503) | None), "what was not synced was acknowledged: {answered:?}");
    let (code, said) = program.ends().await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the disk did not confirm what was written"), "{said}");

    let program = stage.start().await;
    assert_eq!(send(&program.platform(), 2).await, Some(200));
    stage.arrived(2).await;
    assert!(program.terminate().await.success());
    assert_eq!(numbers(&stage), [1, 2]);
}

// F-4: a file system that was mounted read-only after a fault.
#[tokio::test]
async fn a_disk_that_cannot_be_written_is_said_at_the_start() {
    if !can_mount() {
        return;
    }
    let stage = Stage::set().await;
    assert!(stage.start().await.terminate().await.success());
    let mut command = behind(&stage, "mount --bind data data && mount -o remount,bind,ro data");
    let output = within("nuncio to give up", command.output()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("its disk is mounted read-only") && said.contains("mount -o remount,rw"), "{said}");
}
