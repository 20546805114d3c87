//! What one function will cost the compiler.
//!
//! Compilation is linear in a body's size but for a few things, each found by a bomb that used it:
//!
//! - values that stay alive over many jumps, for they are passed on at each;
//! - calls of functions with many parameters and results, which are shuffled at each call;
//! - passes that are quadratic in the number of basic blocks;
//! - operations that insist on one register of the processor, over which all others must move;
//! - loops in loops: some passes walk from each of them outwards.
//!
//! All are estimated here, while the body is validated.

use wasmparser::{
    BlockType, FrameKind, FuncValidator, FunctionBody, Operator, ValidatorResources, WasmModuleResources,
};

use super::{BadComponent, PrecheckLimits};

/// The cost of one function.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Cost {
    /// Local variables, parameters included.
    pub(super) locals: u64,
    /// Basic blocks, about, and what is as costly.
    pub(super) blocks: u64,
    /// See [`PrecheckLimits::function_work`].
    pub(super) work: u64,
}

/// Validates `body` and measures it, stopping as soon as a limit is passed.
pub(super) fn measure(
    validator: &mut FuncValidator<ValidatorResources>,
    body: &FunctionBody<'_>,
    limits: &PrecheckLimits,
) -> Result<Cost, BadComponent> {
    // From the declarations alone: the validator must not be asked to hold 50,000 of them.
    let mut declared = 0_u64;
    for group in body.get_locals_reader()? {
        declared = declared.saturating_add(u64::from(group?.0));
        limits.at_most("a function's local variables", declared, limits.locals, "")?;
    }

    let mut reader = body.get_binary_reader();
    validator.read_locals(&mut reader)?;
    let mut cost = Cost { locals: u64::from(validator.len_locals()), blocks: 1, work: 0 };
    limits.at_most("a function's local variables", cost.locals, limits.locals, "")?;

    reader.set_features(crate::config::FEATURES);
    let mut loops = 0_u64;
    while !reader.eof() {
        let offset = reader.original_position();
        let operator = reader.peek_operator(&validator.visitor(offset))?;
        let mut jumps = jumps(&operator, validator);
        match operator {
            Operator::Loop { .. } => {
                loops += 1;
                jumps.blocks += loops;
            }
            Operator::End if is_loop(validator) => loops = loops.saturating_sub(1),
            _ => {}
        }
        reader.visit_operator(&mut validator.visitor(offset))??;
        limits.at_most("the loops in loops", loops, limits.loop_nesting, "")?;
        if jumps.edges > 0 {
            let alive = cost.locals + u64::from(validator.operand_stack_height()) + jumps.values;
            cost.work = cost.work.saturating_add(jumps.edges.saturating_mul(alive));
        }
        cost.work = cost.work.saturating_add(jumps.moves.saturating_mul(WORK_PER_MOVE));
        limits.at_most("the work of one function", cost.work, limits.function_work, "units")?;
        cost.blocks += jumps.blocks;
    }
    let end = reader.original_position();
    reader.finish_expression(&validator.visitor(end))?;
    Ok(cost)
}

/// What an operator adds to the control-flow graph.
#[derive(Default)]
struct Jumps {
    edges: u64,
    blocks: u64,
    /// Values that each edge carries.
    values: u64,
    /// Values that go into and come out of a call.
    moves: u64,
}

/// Work for each value that a call takes or gives: 60,000 calls of 16 and 16 took over 1 GiB.
const WORK_PER_MOVE: u64 = 4;

/// What an operation on a fixed register costs, in basic blocks: 15,000 of them, with 900 values
/// alive, took 17 s.
const BLOCKS_PER_FIXED_REGISTER: u64 = 4;

fn is_loop(validator: &FuncValidator<ValidatorResources>) -> bool {
    validator.get_control_frame(0).is_some_and(|frame| frame.kind == FrameKind::Loop)
}

/// Called before the operator is validated: what it names may not exist, and then counts nothing.
fn jumps(operator: &Operator<'_>, validator: &FuncValidator<ValidatorResources>) -> Jumps {
    let jump = |edges, blocks, values| Jumps { edges, blocks, values, moves: 0 };
    match operator {
        Operator::Block { blockty } | Operator::Loop { blockty } => jump(1, 1, widest(*blockty, validator)),
        Operator::If { blockty } => jump(2, 2, widest(*blockty, validator)),
        Operator::Else | Operator::End => jump(1, 1, label_values(0, validator)),
        Operator::Br { relative_depth } => jump(1, 0, label_values(*relative_depth, validator)),
        Operator::BrIf { relative_depth } => jump(2, 1, label_values(*relative_depth, validator)),
        Operator::BrTable { targets } => {
            let ways = u64::from(targets.len()) + 1;
            jump(ways, ways, label_values(targets.default(), validator))
        }
        Operator::Call { function_index } => {
            let ty = validator.resources().type_index_of_function(*function_index);
            let (params, results) = ty.map_or((0, 0), |ty| arity(BlockType::FuncType(ty), validator));
            Jumps { moves: params + results, ..Jumps::default() }
        }
        // A table is filled when it is first looked at, so each look is a branch; and what the
        // runtime does for the guest may trap, which is one as well.
        Operator::CallIndirect { type_index, .. } => {
            let (params, results) = arity(BlockType::FuncType(*type_index), validator);
            Jumps { edges: 3, blocks: 2, values: 0, moves: params + results }
        }
        Operator::TableGet { .. }
        | Operator::TableSet { .. }
        | Operator::TableGrow { .. }
        | Operator::TableFill { .. }
        | Operator::TableCopy { .. }
        | Operator::TableInit { .. }
        | Operator::ElemDrop { .. }
        | Operator::MemoryGrow { .. }
        | Operator::MemoryFill { .. }
        | Operator::MemoryCopy { .. }
        | Operator::MemoryInit { .. }
        | Operator::DataDrop { .. }
        | Operator::RefFunc { .. } => jump(3, 2, 0),
        Operator::I32Shl
        | Operator::I32ShrS
        | Operator::I32ShrU
        | Operator::I32Rotl
        | Operator::I32Rotr
        | Operator::I64Shl
        | Operator::I64ShrS
        | Operator::I64ShrU
        | Operator::I64Rotl
        | Operator::I64Rotr => jump(1, BLOCKS_PER_FIXED_REGISTER, 0),
        _ => Jumps::default(),
    }
}

fn label_values(depth: u32, validator: &FuncValidator<ValidatorResources>) -> u64 {
    let depth = usize::try_from(depth).unwrap_or(usize::MAX);
    let Some(frame) = validator.get_control_frame(depth) else { return 0 };
    let (params, results) = arity(frame.block_type, validator);
    if frame.kind == FrameKind::Loop { params } else { results }
}

fn widest(ty: BlockType, validator: &FuncValidator<ValidatorResources>) -> u64 {
    let (params, results) = arity(ty, validator);
    params.max(results)
}

fn arity(ty: BlockType, validator: &FuncValidator<ValidatorResources>) -> (u64, u64) {
    match ty {
        BlockType::Empty => (0, 0),
        BlockType::Type(_) => (0, 1),
        BlockType::FuncType(index) => {
            let ty = validator.resources().sub_type_at(index).map(|ty| &ty.composite_type.inner);
            let Some(wasmparser::CompositeInnerType::Func(ty)) = ty else { return (0, 0) };
            (ty.params().len() as u64, ty.results().len() as u64)
        }
    }
}
