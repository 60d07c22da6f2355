/* The core object: three texts (document, scan, second context), two planners, one block of memory. */
#include "pw_front.h"
#include "pw_mesh.h"
#include "pw_kin.h"

#define PW_PLACE_MAX INT64_C(6000000000) /* 6 m: the second context goes no farther */
enum { PW_BABY_MAX_NM = 2000000, PW_MAGIC = 0x50573031, PW_SIDE_WINDOW = 16, PW_SIDE_RUNS = 8, PW_SIDE_MARKS = 8 };

/* The second context: all of it lies where the main planner looks ahead, its planner and that one's scratch behind it. */
struct pw_side {
    struct pw_config cfg;
    struct pw_front front;
    struct pw_stage stage;
};

struct pw_core {
    uint32_t magic;
    int32_t in_side;     /* the second context is in force */
    int32_t last_mode;   /* of the last pw_begin, pw_scan or pw_feed; PW_FEED while a document is open: what pw_end ends */
    int32_t meshed;      /* a mesh is in force */
    struct pw_planner *planner;
    struct pw_side *side;
    struct pw_mesh_state *mesh;    /* has room where the machine may have a mesh */
    const struct pw_kin *side_kin; /* the machine without skew, bed and top: one of its own where it has any */
    struct pw_front doc, scan;
    struct pw_stage stage;         /* of the document */
    struct pw_skip skip;
    struct pw_config cfg;
};

static size_t pw_round(size_t n) { return (n + 7) & ~(size_t)7; }
static size_t pw_core_part(void) { return pw_round(sizeof(struct pw_core)); }
static size_t pw_side_part(void) { return pw_round(sizeof(struct pw_side)); }

static size_t pw_mesh_part(const struct pw_config *cfg)
{
    return cfg->mesh_points ? pw_round(sizeof(struct pw_mesh_state)) + pw_round((size_t)cfg->mesh_points * sizeof(int32_t)) : 0;
}

static size_t pw_kin_part(const struct pw_config *cfg)
{
    return cfg->bed_radius_um | cfg->top_um | cfg->skew_1e6[0] | cfg->skew_1e6[1] | cfg->skew_1e6[2] ? pw_round(sizeof(struct pw_kin)) : 0;
}

/* The second context knows the machine as it is: no skew, no mesh, and all the room that the geometry has. */
static void pw_side_config(struct pw_config *side, const struct pw_config *cfg)
{
    int i;
    *side = *cfg;
    side->bed_radius_um = side->top_um = side->mesh_points = 0;
    for (i = 0; i < 3; i++) side->skew_1e6[i] = 0;
    for (i = 0; i < 3; i++) side->shaper[i] = PW_SHAPER_NONE; /* homing and probing want the motors as they are told */
    for (i = 0; i < PW_EXTRUDERS; i++) side->advance_us[i] = 0;
    side->window = PW_SIDE_WINDOW;
    side->queue_segments = 0;
    side->ring_runs = (int32_t)pw_min64(cfg->ring_runs, PW_SIDE_RUNS);
    side->ring_marks = (int32_t)pw_min64(cfg->ring_marks, PW_SIDE_MARKS);
}

static int pw_valid(const struct pw_core *core) { return core && core->magic == PW_MAGIC; }

static struct pw_front *pw_front_of(struct pw_core *core) { return core->in_side ? &core->side->front : &core->doc; }

static struct pw_planner *pw_side_planner(const struct pw_core *core) { return (struct pw_planner *)(void *)((char *)core->side + pw_side_part()); }
static struct pw_planner *pw_planner_of(const struct pw_core *core) { return core->in_side ? pw_side_planner(core) : core->planner; }

/* The main planner's look-ahead and the whole second context take turns in the same memory. */
static size_t pw_shared_size(const struct pw_config *cfg, const struct pw_config *side)
{
    size_t look = pw_scratch_size(cfg), second = pw_side_part() + pw_planner_size(side, PW_RAMPS_SHORT) + pw_scratch_size(side);
    return look > second ? look : second;
}

size_t pw_core_size(const struct pw_config *cfg)
{
    struct pw_config side;
    if (!cfg || pw_config_check(cfg) >= 0 || pw_config_left_out(cfg) >= 0) return 0;
    pw_side_config(&side, cfg);
    return pw_core_part() + pw_planner_size(cfg, PW_RAMPS) + pw_kin_part(cfg) + pw_mesh_part(cfg) + pw_shared_size(cfg, &side);
}

static void pw_home(const struct pw_config *cfg, int64_t nm[PW_MOTORS])
{
    int i;
    for (i = 0; i < PW_MOTORS; i++) nm[i] = i < 3 ? (int64_t)cfg->home_um[i] * 1000 : 0;
}

int32_t pw_init(void *mem, size_t size, const struct pw_config *cfg, struct pw_core **out, int32_t *bad_field)
{
    struct pw_core *core = mem;
    char *at = mem;
    int64_t home[PW_MOTORS];
    int32_t bad, err = PW_E_CONFIG;
    if (bad_field) *bad_field = -1;
    if (!mem || !cfg || !out) return PW_E_ARG;
    *out = 0;
    bad = pw_config_check(cfg);
    if (bad < 0) {
        bad = pw_config_left_out(cfg);
        err = PW_E_FEATURE;
    }
    if (bad >= 0) {
        if (bad_field) *bad_field = bad;
        return err;
    }
    if (((uintptr_t)mem & 7) != 0 || size < pw_core_size(cfg)) return PW_E_MEMORY;
    pw_zero(core, sizeof *core);
    core->cfg = *cfg;
    at += pw_core_part();
    core->planner = (struct pw_planner *)(void *)at;
    at += pw_planner_size(cfg, PW_RAMPS) + pw_kin_part(cfg);
    core->mesh = (struct pw_mesh_state *)(void *)at;
    if (cfg->mesh_points) {
        pw_zero(core->mesh, sizeof *core->mesh);
        core->mesh->height_nm = (int32_t *)(void *)(at + pw_round(sizeof(struct pw_mesh_state)));
    }
    core->side = (struct pw_side *)(void *)(at + pw_mesh_part(cfg));
    pw_planner_init(core->planner, &core->cfg, PW_RAMPS, core->side);
    core->side_kin = pw_planner_kin(core->planner);
    if (pw_kin_part(cfg)) {
        struct pw_kin *kin = (struct pw_kin *)(void *)(at - pw_kin_part(cfg));
        pw_side_config(&core->side->cfg, cfg);
        pw_kin_init(kin, &core->side->cfg);
        core->side_kin = kin;
    }
    pw_home(&core->cfg, home);
    pw_planner_begin(core->planner, home, 0);
    core->stage.planner = core->planner;
    core->stage.skip = &core->skip;
    pw_front_begin(&core->doc, &core->cfg, &core->stage, home, PW_GCODE, 0);
    pw_front_begin(&core->scan, &core->cfg, 0, home, PW_GCODE, 0);
    core->doc.kin = core->scan.kin = pw_planner_kin(core->planner);
    core->doc.state = core->scan.state = PW_FRONT_IDLE;
    core->magic = PW_MAGIC;
    *out = core;
    return PW_OK;
}

int32_t pw_begin(struct pw_core *core, int32_t mode, int32_t dialect)
{
    int64_t home[PW_MOTORS];
    if (!pw_valid(core) || (mode != PW_FEED && mode != PW_SCAN) || (dialect != PW_GCODE && dialect != PW_SAFE_GCODE)) return PW_E_ARG;
    pw_home(&core->cfg, home);
    /* a document that is being fed stays the one that pw_end ends, whatever is scanned in between */
    if (mode == PW_FEED || core->doc.state != PW_FRONT_OPEN) core->last_mode = mode;
    if (mode == PW_SCAN) {
        pw_front_begin(&core->scan, &core->cfg, 0, home, dialect, 0);
        core->scan.kin = pw_planner_kin(core->planner);
        return PW_OK;
    }
    core->in_side = 0;
    pw_planner_begin(core->planner, home, 0);
    pw_front_begin(&core->doc, &core->cfg, &core->stage, home, dialect, 0);
    core->doc.kin = pw_planner_kin(core->planner);
    return PW_OK;
}

static int32_t pw_take(struct pw_front *f, const char *text, int32_t len, struct pw_event *event)
{
    if ((!text && len != 0) || len < 0 || !event) return PW_E_ARG;
    if (f->state != PW_FRONT_OPEN || f->ending) return PW_E_STATE;
    return pw_front_take(f, text, len, event);
}

int32_t pw_scan(struct pw_core *core, const char *text, int32_t len, struct pw_event *event)
{
    if (!pw_valid(core)) return PW_E_ARG;
    if (core->doc.state != PW_FRONT_OPEN) core->last_mode = PW_SCAN;
    return pw_take(&core->scan, text, len, event);
}

int32_t pw_feed(struct pw_core *core, const char *text, int32_t len, struct pw_event *event)
{
    if (!pw_valid(core)) return PW_E_ARG;
    core->last_mode = PW_FEED;
    return pw_take(pw_front_of(core), text, len, event);
}

int32_t pw_scan_cold(struct pw_core *core, uint32_t extruders)
{
    if (!pw_valid(core)) return PW_E_ARG;
    core->scan.cold = extruders;
    return PW_OK;
}

int32_t pw_skip(struct pw_core *core, int32_t on)
{
    if (!pw_valid(core)) return PW_E_ARG;
    core->skip.on = on != 0;
    return PW_OK;
}

int32_t pw_end(struct pw_core *core, struct pw_event *event)
{
    struct pw_front *f;
    if (!pw_valid(core) || !event) return PW_E_ARG;
    f = core->last_mode == PW_SCAN ? &core->scan : pw_front_of(core);
    if (f->state == PW_FRONT_ENDED) {
        pw_zero(event, sizeof *event);
        event->kind = PW_EV_END;
        event->line = f->text.line_taken;
        return PW_OK;
    }
    if (f->state != PW_FRONT_OPEN || f->side) return PW_E_STATE;
    return pw_front_end(f, event);
}

int32_t pw_mark(struct pw_core *core, uint32_t id)
{
    int32_t err;
    if (!pw_valid(core)) return PW_E_ARG;
    err = pw_front_settle(pw_front_of(core));
    return err ? err : pw_plan_mark(pw_planner_of(core), id);
}

int32_t pw_flush(struct pw_core *core)
{
    int32_t err;
    if (!pw_valid(core)) return PW_E_ARG;
    err = pw_front_settle(pw_front_of(core));
    return err ? err : pw_plan_flush(pw_planner_of(core));
}

int32_t pw_override(struct pw_core *core, int32_t speed_permille, int32_t flow_permille)
{
    if (!pw_valid(core) || speed_permille < 10 || speed_permille > 10000 || flow_permille < 1 || flow_permille > 2000) return PW_E_ARG;
    core->stage.speed_permille = speed_permille;
    core->stage.flow_permille = flow_permille;
    return PW_OK;
}

int32_t pw_baby_step(struct pw_core *core, int32_t z_nm)
{
    if (!pw_valid(core) || z_nm > PW_BABY_MAX_NM || z_nm < -PW_BABY_MAX_NM) return PW_E_ARG;
    core->stage.baby_nm = z_nm;
    return PW_OK;
}

int32_t pw_mesh(struct pw_core *core, const struct pw_mesh *mesh, const int32_t *height_nm)
{
    int64_t home[PW_MOTORS];
    int32_t err;
    if (!pw_valid(core) || (mesh && !height_nm)) return PW_E_ARG;
    pw_home(&core->cfg, home);
    if (core->doc.state == PW_FRONT_OPEN && (core->doc.todo & ~(uint32_t)PW_TODO_EVENT || core->stage.merge.count)) return PW_E_STATE;
    /* behind a document nothing moves any more, wherever it ended; within one, only home is where any mesh leaves it */
    if (!pw_planner_stands(core->planner, core->doc.state == PW_FRONT_OPEN ? home : (int64_t *)0)) return PW_E_STATE;
    if (mesh && core->cfg.mesh_points == 0) return PW_E_MESH;
    if (mesh && (err = pw_mesh_init(core->mesh, &core->cfg, mesh, height_nm))) return err;
    core->meshed = mesh != 0;
    pw_planner_mesh(core->planner, mesh ? core->mesh : (struct pw_mesh_state *)0);
    return PW_OK;
}

int32_t pw_mesh_lift_at(struct pw_core *core, const int64_t *place_nm, int64_t *lift_nm)
{
    int64_t at_q32[3];
    int32_t i;
    if (!pw_valid(core) || !place_nm || !lift_nm) return PW_E_ARG;
    for (i = 0; i < 3; i++) {
        if (pw_abs64(place_nm[i]) > PW_PLACE_MAX) return PW_E_ARG;
        at_q32[i] = pw_nm_q32(place_nm[i]);
    }
    *lift_nm = core->meshed ? pw_mm_nm(pw_mesh_lift(core->mesh, at_q32, 0)) : 0;
    return PW_OK;
}

int32_t pw_counts_at(struct pw_core *core, const int64_t *place_nm, int64_t *counts)
{
    const struct pw_kin *kin;
    int32_t i, err;
    if (!pw_valid(core) || !place_nm || !counts) return PW_E_ARG;
    kin = core->side_kin;
    for (i = 0; i < 3; i++)
        if (pw_abs64(place_nm[i]) > PW_PLACE_MAX) return PW_E_REACH;
    if ((err = pw_kin_guard(kin, place_nm))) return err;
    for (i = 0; i < 3; i++) counts[i] = pw_asr(pw_kin_position_nm(kin, i, place_nm) + ((int64_t)1 << 31), 32);
    return PW_OK;
}

int32_t pw_place_at(struct pw_core *core, const int64_t *counts, int64_t *place_nm)
{
    int64_t at_q32[3];
    int32_t i;
    if (!pw_valid(core) || !place_nm || !counts) return PW_E_ARG;
    for (i = 0; i < 3; i++) {
        if (pw_abs64(counts[i]) > INT32_MAX) return PW_E_REACH;
        at_q32[i] = counts[i] * ((int64_t)1 << 32);
    }
    return pw_kin_place_nm(core->side_kin, at_q32, place_nm);
}

int32_t pw_enter(struct pw_core *core)
{
    int64_t at[PW_MOTORS];
    struct pw_side *side;
    struct pw_planner *planner;
    if (!pw_valid(core)) return PW_E_ARG;
    if (core->in_side) return PW_E_STATE;
    side = core->side;
    planner = pw_side_planner(core);
    pw_planner_place_of(core->planner, core->side_kin, at);
    pw_side_config(&side->cfg, &core->cfg);
    pw_planner_init(planner, &side->cfg, PW_RAMPS_SHORT, (char *)planner + pw_planner_size(&side->cfg, PW_RAMPS_SHORT));
    pw_planner_begin(planner, at, 0);
    side->stage.planner = planner;
    side->stage.skip = 0;
    pw_front_begin(&side->front, &side->cfg, &side->stage, at, PW_GCODE, 1);
    side->front.kin = core->side_kin;
    core->in_side = 1;
    return PW_OK;
}

int32_t pw_leave(struct pw_core *core)
{
    if (!pw_valid(core)) return PW_E_ARG;
    if (!core->in_side) return PW_E_STATE;
    core->in_side = 0;
    pw_planner_resume(core->planner);
    return PW_OK;
}

int32_t pw_status(struct pw_core *core, struct pw_status *status)
{
    const struct pw_front *f;
    int i;
    if (!pw_valid(core) || !status) return PW_E_ARG;
    f = pw_front_of(core);
    pw_planner_status(pw_planner_of(core), status);
    status->state = f->state;
    status->error = f->error;
    status->line = f->lines;
    status->moves = f->moves;
    status->ignored = f->ignored;
    for (i = 0; i < 4; i++) status->position_nm[i] = f->todo & PW_TODO_TRAVEL ? f->stage->travel.leg.to_nm[i] : f->stage->at_nm[i];
    status->tool = f->modal.tool;
    if (f->todo & ~(uint32_t)PW_TODO_EVENT || f->stage->merge.count) status->idle = 0;
    return PW_OK;
}

int32_t pw_run(struct pw_core *core, int32_t budget)
{
    if (!pw_valid(core) || budget < 0) return PW_E_ARG;
    return pw_planner_run(pw_planner_of(core), budget);
}

int32_t pw_steps(struct pw_core *core, int32_t motor, struct pw_steprun *out, int32_t n)
{
    if (!pw_valid(core) || (!out && n != 0)) return PW_E_ARG;
    return pw_planner_steps(pw_planner_of(core), motor, out, n);
}

int32_t pw_marks(struct pw_core *core, struct pw_markrec *out, int32_t n)
{
    if (!pw_valid(core) || n < 0 || (!out && n != 0)) return PW_E_ARG;
    return pw_planner_marks(pw_planner_of(core), out, n);
}

int32_t pw_expand(const struct pw_steprun *run, int32_t from, int64_t *ticks, int32_t n)
{
    int32_t i;
    uint64_t at, step;
    if (!run || !ticks || from < 0 || n < 0) return PW_E_ARG;
    if ((uint32_t)from >= run->count) return 0;
    if ((uint32_t)n > run->count - (uint32_t)from) n = (int32_t)(run->count - (uint32_t)from);
    at = run->first_q16 + run->interval_q16 * (uint64_t)from + (uint64_t)((int64_t)run->add_q16 * ((int64_t)from * (from - 1) / 2));
    step = run->interval_q16 + (uint64_t)((int64_t)run->add_q16 * from);
    for (i = 0; i < n; i++) {
        ticks[i] = (int64_t)((at + 32768) >> 16);
        at += step;
        step += (uint64_t)(int64_t)run->add_q16;
    }
    return n;
}
